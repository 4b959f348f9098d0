"""How MongoDB is reached: what is acknowledged, what is read, and how long an answer is waited for."""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias
from urllib.parse import quote

from pymongo import MongoClient, ReadPreference, WriteConcern, uri_parser
from pymongo.database import Database
from pymongo.errors import ConfigurationError, InvalidURI
from pymongo.read_concern import ReadConcern

from job_orchestra.storage.mongo.urls import MongoUrl, refuse

Document: TypeAlias = dict[str, Any]
Client: TypeAlias = MongoClient[Document]

ANSWER_TIMEOUT = 8.0
"""Seconds for one unit of work, with the wait for a primary and all that the driver repeats; less than callers wait.

`timeoutMS` in the URL says otherwise.
"""

DURABLE = WriteConcern(w="majority", j=True)
"""On the disks of a majority: no election takes it back. A single node is a majority of its own."""

# What a majority has; read at the primary, so that whoever was told of a write finds it.
_SEEN = ReadConcern("majority")

_CONNECTION: Document = {
    "serverSelectionTimeoutMS": 5_000,  # for what has no other limit: migrations
    "connectTimeoutMS": 5_000,
    "appName": "job-orchestra",
}


def has_snapshots(client: Client) -> bool:
    """A single node that is no replica set has none."""
    hello = client.admin.command("hello")
    return "setName" in hello or hello.get("msg") == "isdbgrid"


class Clients:
    """Makes clients of one database; each is to be closed by who asked for it."""

    def __init__(self, url: MongoUrl, answer_timeout: float | None = None) -> None:
        """Invalid at `database.url` for options that the driver does not take."""
        self.name = f"The database {url}"
        """Begins messages; without the password."""
        self._url = url
        self._written = {name.lower(): value for name, value in url.options}
        _check_options(url)
        self._check_all_together()
        self.answer_timeout = answer_timeout or int(self._written.get("timeoutms", 0)) / 1000 or ANSWER_TIMEOUT

    def connect(self) -> Client:
        """Connects only when it is used; what the user wrote in the URL goes before our own."""
        own = {name: value for name, value in _CONNECTION.items() if name.lower() not in self._written}
        return MongoClient(self._url.written, connect=False, tz_aware=False, timeoutMS=None, **own)

    def database(self, client: Client) -> Database[Document]:
        """Whatever the URL says of the concerns: the promises rest on these."""
        return client.get_database(
            self._url.database, write_concern=DURABLE, read_concern=_SEEN, read_preference=ReadPreference.PRIMARY
        )

    def _check_all_together(self) -> None:
        try:
            self.connect().close()
        except (ConfigurationError, InvalidURI, ValueError, TypeError) as error:
            refuse(f"cannot be used: {_without_password(error, self._url)}")


def _check_options(url: MongoUrl) -> None:
    """One by one, because what the driver says may repeat a value. It only warns of compressors that it has not."""
    for name, value in url.options:
        try:
            with warnings.catch_warnings(action="error", category=UserWarning):
                uri_parser.split_options(f"{name}={quote(value)}", validate=True, warn=False)
        except OSError:
            refuse(f"has the option {name!r} with a file that cannot be read")
        except (ConfigurationError, InvalidURI, ValueError, TypeError, UserWarning):
            refuse(f"has the option {name!r}, which the driver of MongoDB does not know, or not with this value")


def _without_password(error: Exception, url: MongoUrl) -> str:
    told = str(error).rstrip(".")
    return "the driver of MongoDB refuses it" if url.password and url.password in told else told
