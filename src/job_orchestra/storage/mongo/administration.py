"""Creating, upgrading, reading and filling whole databases: collections, indexes, and the document with the version."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import pymongo
from pymongo.database import Database

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.mongo import versions
from job_orchestra.storage.mongo.clients import Clients, Document, has_transactions
from job_orchestra.storage.mongo.loads import MongoLoad, collection_with_rows, delete_everything
from job_orchestra.storage.mongo.migrations import carry_out, newest_version, version_of, versions_after
from job_orchestra.storage.mongo.outages import translated
from job_orchestra.storage.mongo.snapshots import MongoSnapshot, WatchedSnapshot
from job_orchestra.storage.mongo.versions import (
    StoredVersion,
    advance_version,
    create_version,
    read_version,
    replace_mark,
)
from job_orchestra.storage.port import Load, SchemaState, Snapshot
from job_orchestra.storage.schema import COLLECTIONS

_OURS = frozenset({versions.COLLECTION, *(collection.name for collection in COLLECTIONS)})


class MongoAdministration:
    """Implements `storage.port.StorageAdministration`.

    Nothing of it is a transaction: each step can be repeated, and the document with the version is written last. So an
    interrupted creation is none, and is gone on with by the next one.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    # ---------- the schema

    def create(self) -> None:
        with self._database() as database:
            if self._version(database) is not None:
                raise self._has_schema()
            self._create(database)

    def upgrade(self) -> Sequence[str]:
        with self._database() as database:
            stored = self._stored_version(database)
            if stored.load is not None:
                raise self._incomplete()
            return self._upgrade(database, stored.version)

    def state(self) -> SchemaState:
        with self._database() as database:
            stored = self._version(database)
        if stored is None:
            return SchemaState.MISSING
        if stored.load is not None:
            return SchemaState.INCOMPLETE
        if stored.version == newest_version():
            return SchemaState.CURRENT
        return SchemaState.NEWER if versions_after(stored.version) is None else SchemaState.OLDER

    def versions(self) -> tuple[str | None, str]:
        with self._database() as database:
            stored = self._version(database)
        return None if stored is None else stored.version, newest_version()

    def _create(self, database: Database[Document]) -> None:
        self._check_nothing_else(database)
        for name in versions_after(None) or ():
            carry_out(database, name)
        if not create_version(database, newest_version()):
            raise self._has_schema()

    def _upgrade(self, database: Database[Document], version: str) -> Sequence[str]:
        missing = versions_after(version)
        if missing is None:
            raise Conflict(
                f"{self._clients.name} has version {version}, this program knows none above {newest_version()}: "
                "the program is older than the database."
            )
        for name in missing:
            carry_out(database, name)
            advance_version(database, version_of(name))
        return missing

    # ---------- all rows

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        with self._database() as database:
            if has_transactions(database.client):
                with database.client.start_session(snapshot=True) as session:
                    self._check_complete(read_version(database, session))
                    yield MongoSnapshot(database, session)
            else:
                self._check_complete(read_version(database))
                snapshot = WatchedSnapshot(self._clients.name, database)
                yield snapshot
                snapshot.check_unmoved()

    def check_loadable(self) -> None:
        with self._database() as database:
            self._check_loadable(database, self._version(database))

    @contextmanager
    def load(self) -> Generator[Load]:
        with self._database() as database:
            mark = self._begin_load(database)
            load = MongoLoad(self._clients.name, database, mark)
            yield load
            load.complete()

    def _check_loadable(self, database: Database[Document], stored: StoredVersion | None) -> None:
        if stored is None:
            self._check_nothing_else(database)
        elif stored.load is None:
            self._check_current(stored.version)
            if (collection := collection_with_rows(database)) is not None:
                raise Conflict(f"{self._clients.name} is not empty: there are rows in {collection}.")
        elif versions_after(stored.version) is None:
            self._check_current(stored.version)

    def _begin_load(self, database: Database[Document]) -> StoredVersion:
        """The mark in a database with the current schema, and nothing of an earlier load."""
        stored = self._version(database)
        self._check_loadable(database, stored)
        if stored is None:
            self._create(database)
            stored = StoredVersion(newest_version())
        mark = StoredVersion.of_new_load(newest_version())
        if not replace_mark(database, stored, mark.load):
            raise Conflict(f"{self._clients.name} is being changed by somebody else at the same time.")
        if stored.load is not None:
            delete_everything(database)
            self._upgrade(database, stored.version)
        return mark

    # ---------- what is refused

    def _stored_version(self, database: Database[Document]) -> StoredVersion:
        stored = self._version(database)
        if stored is None:
            raise self._has_no_schema()
        return stored

    def _check_complete(self, stored: StoredVersion | None) -> None:
        if stored is None:
            raise self._has_no_schema()
        if stored.load is not None:
            raise self._incomplete()
        self._check_current(stored.version)

    def _check_current(self, version: str) -> None:
        missing = versions_after(version)
        if missing is None:
            raise Conflict(
                f"{self._clients.name} has schema {version}, this program knows none above {newest_version()}: "
                "install the newer program."
            )
        if missing:
            raise Conflict(
                f"{self._clients.name} has schema {version}; `orchestra database upgrade` brings it to "
                f"{newest_version()}."
            )

    def _check_nothing_else(self, database: Database[Document]) -> None:
        foreign = _first_foreign(database)
        if foreign is None:
            return
        if self._version(database) is not None:
            raise self._has_schema()  # of another process, which came first and has written already
        raise Conflict(f"{self._clients.name} is not empty: it has the collection {foreign!r} of something else.")

    def _has_schema(self) -> Conflict:
        return Conflict(f"{self._clients.name} has a schema already; `orchestra database status` tells which.")

    def _has_no_schema(self) -> Conflict:
        return Conflict(f"{self._clients.name} has no schema; `orchestra database create` creates it.")

    def _incomplete(self) -> Conflict:
        return Conflict(
            f"{self._clients.name} is not complete: an import did not come to its end; "
            "`orchestra database import` starts it over."
        )

    # ---------- the connection

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

    def _version(self, database: Database[Document]) -> StoredVersion | None:
        """Soon or not at all; what follows may take its time."""
        with pymongo.timeout(self._clients.answer_timeout):
            return read_version(database)


def _first_foreign(database: Database[Document]) -> str | None:
    """What an interrupted creation left is ours, and empty."""
    for collection in sorted(database.list_collection_names()):
        if collection not in _OURS or database[collection].find_one({}, {"_id": True}) is not None:
            return collection
    return None
