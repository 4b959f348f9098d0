"""Records in MongoDB. Only composition comes here.

Importing this is cheap: pymongo is loaded when a storage is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from job_orchestra.storage.mongo.urls import SCHEMES, parse_mongo_url

if TYPE_CHECKING:
    from job_orchestra.storage.port import Storage, StorageAdministration

__all__ = ["SCHEMES", "open_administration", "open_storage", "parse_mongo_url"]


def open_storage(url: str) -> Storage:
    """Connects only when it is used. Invalid at `database.url`."""
    parsed = parse_mongo_url(url)
    from job_orchestra.storage.mongo.clients import Clients
    from job_orchestra.storage.mongo.storage import MongoStorage

    return MongoStorage(Clients(parsed))


def open_administration(url: str) -> StorageAdministration:
    """Likewise."""
    parsed = parse_mongo_url(url)
    from job_orchestra.storage.mongo.administration import MongoAdministration
    from job_orchestra.storage.mongo.clients import Clients

    return MongoAdministration(Clients(parsed))
