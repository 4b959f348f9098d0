"""Creating and upgrading the schema: collections, indexes, and the document with the version."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import pymongo
from pymongo.database import Database

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.mongo.clients import Clients, Document
from job_orchestra.storage.mongo.migrations import (
    VERSION_COLLECTION,
    advance,
    carry_out,
    claim,
    newest_version,
    version_in,
    versions_after,
)
from job_orchestra.storage.mongo.outages import translated
from job_orchestra.storage.port import SchemaState
from job_orchestra.storage.schema import COLLECTIONS

_OURS = frozenset({VERSION_COLLECTION, *(collection.name for collection in COLLECTIONS)})


class MongoAdministration:
    """Implements `storage.port.StorageAdministration`.

    Nothing of it is a transaction: each step can be repeated, and the document with the version is written last. So an
    interrupted creation is none, and is gone on with by the next one.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def create(self) -> None:
        with self._database() as database:
            if self._version(database) is not None:
                raise self._has_schema()
            foreign = _first_foreign(database)
            if foreign is not None and self._version(database) is not None:
                raise self._has_schema()  # of another process, which came first and has written already
            if foreign is not None:
                raise Conflict(
                    f"{self._clients.name} is not empty: it has the collection {foreign!r} of something else."
                )
            for name in versions_after(None) or ():
                carry_out(database, name)
            if not claim(database):
                raise self._has_schema()

    def upgrade(self) -> Sequence[str]:
        name = self._clients.name
        with self._database() as database:
            version = self._version(database)
            if version is None:
                raise Conflict(f"{name} has no schema; `orchestra database create` creates it.")
            missing = versions_after(version)
            if missing is None:
                raise Conflict(
                    f"{name} has version {version}, this program knows none above {newest_version()}: "
                    "the program is older than the database."
                )
            for each in missing:
                carry_out(database, each)
                advance(database, each)
            return missing

    def state(self) -> SchemaState:
        version, newest = self.versions()
        if version is None:
            return SchemaState.MISSING
        if version == newest:
            return SchemaState.CURRENT
        return SchemaState.NEWER if versions_after(version) is None else SchemaState.OLDER

    def versions(self) -> tuple[str | None, str]:
        with self._database() as database:
            return self._version(database), newest_version()

    @contextmanager
    def _database(self) -> Generator[Database[Document]]:
        try:
            with self._clients.connect() as client:
                yield self._clients.database(client)
        except Conflict:
            raise
        except Exception as error:  # what is no outage goes on as it is
            told = translated(error, self._clients.name, self._clients.answer_timeout)
            if told is error:
                raise
            raise told from None

    def _version(self, database: Database[Document]) -> str | None:
        """Soon or not at all; what follows may take its time."""
        with pymongo.timeout(self._clients.answer_timeout):
            return version_in(database)

    def _has_schema(self) -> Conflict:
        return Conflict(f"{self._clients.name} has a schema already; `orchestra database status` tells which.")


def _first_foreign(database: Database[Document]) -> str | None:
    """What an interrupted creation left is ours, and empty."""
    for collection in sorted(database.list_collection_names()):
        if collection not in _OURS or database[collection].find_one({}, {"_id": True}) is not None:
            return collection
    return None
