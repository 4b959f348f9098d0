"""Records in SQL databases: SQLite, PostgreSQL, MariaDB and MySQL. Only composition comes here.

Importing this is cheap: SQLAlchemy and the drivers are loaded when a storage is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from job_orchestra.storage.sql.urls import SCHEMES, parse_database_url

if TYPE_CHECKING:
    from job_orchestra.storage.port import Storage, StorageAdministration

__all__ = ["SCHEMES", "open_administration", "open_storage", "parse_database_url"]


def open_storage(url: str, directory: Path | None = None) -> Storage:
    """Connects only when it is used. Invalid at `database.url`; a relative path is taken from `directory`."""
    parsed = parse_database_url(url, directory)
    from job_orchestra.storage.sql.databases import database_at
    from job_orchestra.storage.sql.storage import SqlStorage

    return SqlStorage(database_at(parsed))


def open_administration(url: str, directory: Path | None = None) -> StorageAdministration:
    """Likewise."""
    parse_database_url(url, directory)
    from job_orchestra.storage.sql.administration import SqlAdministration

    return SqlAdministration(url, directory)
