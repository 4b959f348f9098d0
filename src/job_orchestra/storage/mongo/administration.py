"""Creating, upgrading, reading and filling whole databases: collections, indexes, and the document with the version."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress

import pymongo
from pymongo.database import Database
from pymongo.errors import OperationFailure

from job_orchestra.domain.errors import Conflict, OrchestraError
from job_orchestra.storage.mongo import versions
from job_orchestra.storage.mongo.clients import Clients, Document, has_snapshots
from job_orchestra.storage.mongo.loads import MongoLoad, collection_with_rows, delete_everything, prove_insertable
from job_orchestra.storage.mongo.migrations import MIGRATIONS, migrate
from job_orchestra.storage.mongo.outages import translated
from job_orchestra.storage.mongo.snapshots import MongoSnapshot, WatchedSnapshot
from job_orchestra.storage.mongo.versions import create_version, read_version, replace_mark
from job_orchestra.storage.port import DatabaseDescription, Load, SchemaState, Snapshot
from job_orchestra.storage.schema import COLLECTIONS
from job_orchestra.storage.schema_check import advice
from job_orchestra.storage.schema_versions import StoredVersion

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

    def upgrade(self, tell: Callable[[str], None] = lambda _: None) -> Sequence[str]:
        with self._database() as database:
            stored = self._version(database)
            self._refuse(stored, SchemaState.MISSING, SchemaState.NEWER, SchemaState.INCOMPLETE)
            missing = MIGRATIONS.after(stored.version if stored else None) or ()
            for name in missing:
                migrate(database, name, tell)
            return missing

    def state(self) -> SchemaState:
        return MIGRATIONS.state_of(self._look())

    def versions(self) -> tuple[str | None, str]:
        stored = self._look()
        return None if stored is None else stored.version, MIGRATIONS.newest

    def describe(self) -> DatabaseDescription:
        with self._database() as database, pymongo.timeout(self._clients.answer_timeout):
            version = database.client.server_info()["version"]
            size: int | None = None
            with suppress(OperationFailure):  # a user with few rights
                told = database.command("dbstats")
                size = int(told["storageSize"] + told["indexSize"])
        return DatabaseDescription(f"MongoDB {version}", size)

    def warnings(self) -> Sequence[str]:
        """None: each write asks for the journals of a majority, and is refused where there is none."""
        return ()

    def _look(self) -> StoredVersion | None:
        with self._database() as database:
            return self._version(database)

    def _create(self, database: Database[Document]) -> None:
        self._check_nothing_else(database)
        for name in MIGRATIONS.after(None) or ():
            migrate(database, name, lambda _: None)
        if not create_version(database, MIGRATIONS.newest):
            raise self._has_schema()

    # ---------- all rows

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        unusable = set(SchemaState) - {SchemaState.CURRENT}
        with self._database() as database:
            if has_snapshots(database.client):
                with database.client.start_session(snapshot=True) as session:
                    self._refuse(read_version(database, session), *unusable)
                    yield MongoSnapshot(database, session)
            else:
                self._refuse(read_version(database), *unusable)
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
            return
        if stored.load is not None:  # what is there goes, and an older schema is upgraded
            self._refuse(StoredVersion(stored.version), SchemaState.NEWER)
            return
        self._refuse(stored, SchemaState.OLDER, SchemaState.NEWER)
        if (collection := collection_with_rows(database)) is not None:
            raise Conflict(f"{self._clients.name} is not empty: there are rows in {collection}.")

    def _begin_load(self, database: Database[Document]) -> StoredVersion:
        """The mark in a database with the current schema, and nothing of an earlier load."""
        stored = self._version(database)
        self._check_loadable(database, stored)
        if stored is None:
            self._create(database)
            stored = StoredVersion(MIGRATIONS.newest)
        # Before the mark: who may not insert leaves the database as it was.
        prove_insertable(database)
        mark = StoredVersion.of_new_load(MIGRATIONS.newest)
        if not replace_mark(database, stored, mark.load):
            raise Conflict(f"{self._clients.name} is being changed by somebody else at the same time.")
        if stored.load is not None:
            delete_everything(database)
            for name in MIGRATIONS.after(stored.version) or ():
                migrate(database, name, lambda _: None)
        return mark

    # ---------- what is refused

    def _refuse(self, stored: StoredVersion | None, *states: SchemaState) -> None:
        if (state := MIGRATIONS.state_of(stored)) in states:
            version = stored.version if stored else None
            raise Conflict(f"{self._clients.name} {advice(state, version, MIGRATIONS.newest)}.")

    def _check_nothing_else(self, database: Database[Document]) -> None:
        foreign = _first_foreign(database)
        if foreign is None:
            return
        if self._version(database) is not None:
            raise self._has_schema()  # of another process, which came first and has written already
        raise Conflict(f"{self._clients.name} is not empty: it has the collection {foreign!r} of something else.")

    def _has_schema(self) -> Conflict:
        return Conflict(f"{self._clients.name} has a schema already; `orchestra database status` tells which.")

    # ---------- the connection

    @contextmanager
    def _database(self) -> Generator[Database[Document]]:
        try:
            with self._clients.connect() as client:
                yield self._clients.database(client)
        except OrchestraError:
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
