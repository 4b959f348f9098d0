"""Creating, upgrading, reading and filling whole databases."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from job_orchestra.domain.errors import Conflict, OrchestraError
from job_orchestra.storage.port import DatabaseDescription, Load, SchemaState, Snapshot
from job_orchestra.storage.schema_check import advice
from job_orchestra.storage.schema_versions import StoredVersion
from job_orchestra.storage.sql.databases import Database, database_at
from job_orchestra.storage.sql.loads import SqlLoad, collection_with_rows, delete_everything, prove_insertable
from job_orchestra.storage.sql.migrations import MIGRATIONS, migrate
from job_orchestra.storage.sql.migrations.version_table import create_version_table, read_version, write_version
from job_orchestra.storage.sql.snapshots import SqlSnapshot
from job_orchestra.storage.sql.statements import Statements
from job_orchestra.storage.sql.urls import parse_database_url
from job_orchestra.storage.sql.versions import TABLE


class SqlAdministration:
    """Implements `storage.port.StorageAdministration`."""

    def __init__(self, url: str, directory: Path | None = None) -> None:
        self._database: Database = database_at(parse_database_url(url, directory))

    # ---------- the schema

    def create(self) -> None:
        self._create_database()
        with self._connected(is_writing=True) as connection, self._committed(connection):
            stored = read_version(connection)
            if MIGRATIONS.state_of(stored) is not SchemaState.MISSING:
                raise Conflict(f"{self._database.name} has a schema already; `orchestra database status` tells which.")
            self._create_schema(connection, stored)

    def upgrade(self, tell: Callable[[str], None] = lambda _: None) -> Sequence[str]:
        self._check_exists()
        done: list[str] = []
        with self._connected(is_writing=True) as connection:
            while True:
                # Each is committed by itself, and may have been carried out by somebody else meanwhile.
                with self._committed(connection):
                    missing = self._missing(connection)
                    if not missing:
                        return done
                    migrate(connection, missing[0], tell)
                done.append(missing[0])

    def state(self) -> SchemaState:
        return MIGRATIONS.state_of(self._look())

    def versions(self) -> tuple[str | None, str]:
        stored = self._look()
        return None if stored is None else stored.version, MIGRATIONS.newest

    def describe(self) -> DatabaseDescription:
        with self._translated():
            return self._database.describe()

    def warnings(self) -> Sequence[str]:
        with self._translated():
            return self._database.warnings() if self._database.exists() else ()

    def _look(self) -> StoredVersion | None:
        with self._translated():
            exists = self._database.exists()
        if not exists:
            return None
        with self._connected(is_writing=False) as connection, self._translated():
            return read_version(connection)

    def _create_database(self) -> None:
        with self._translated():
            if not self._database.exists():
                self._database.create()

    def _create_schema(self, connection: sa.Connection, begun: StoredVersion | None) -> None:
        """Goes on where an interrupted one ended. Where each step is committed, nobody takes a part for the whole."""
        self._check_nothing_else(connection)
        if begun is not None:
            self._refuse(StoredVersion(begun.version), SchemaState.NEWER)
        # First of all, so that a creation that was interrupted is known as such, and finished by the next one.
        create_version_table(connection)
        for name in MIGRATIONS.after(begun.version if begun else None) or ():
            migrate(connection, name, lambda _: None, lambda version: StoredVersion(version, is_created=False))
        write_version(connection, StoredVersion(MIGRATIONS.newest))

    def _missing(self, connection: sa.Connection) -> Sequence[str]:
        stored = read_version(connection)
        self._refuse(stored, SchemaState.MISSING, SchemaState.NEWER, SchemaState.INCOMPLETE)
        return MIGRATIONS.after(stored.version if stored else None) or ()

    # ---------- all rows

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        self._check_exists()
        with self._connected(is_writing=False) as connection:
            with self._translated():
                self._database.begin_snapshot(connection.connection.driver_connection)
                self._refuse(read_version(connection), *set(SchemaState) - {SchemaState.CURRENT})
            yield SqlSnapshot(connection, Statements(self._database.dialect), self._translated)

    def check_loadable(self) -> None:
        with self._translated():
            exists = self._database.exists()
        if exists:
            with self._connected(is_writing=False) as connection, self._translated():
                self._check_loadable(connection, read_version(connection))

    @contextmanager
    def load(self) -> Generator[Load]:
        self._create_database()
        mark = StoredVersion.of_new_load(MIGRATIONS.newest)
        with self._connected(is_writing=True) as connection:
            with self._committed(connection):
                self._make_empty(connection)
                # Before the mark: who may not insert leaves the database as it was.
                prove_insertable(connection)
                write_version(connection, mark)
            load = SqlLoad(self._database, connection, self._committed, mark)
            yield load
            load.complete()

    def _check_loadable(self, connection: sa.Connection, stored: StoredVersion | None) -> None:
        if stored is None or not stored.is_created:
            self._check_nothing_else(connection)
            return
        if stored.load is not None:  # what is there goes, and an older schema is upgraded
            self._refuse(StoredVersion(stored.version), SchemaState.NEWER)
            return
        self._refuse(stored, SchemaState.OLDER, SchemaState.NEWER)
        if (collection := collection_with_rows(connection)) is not None:
            raise Conflict(f"{self._database.name} is not empty: there are rows in {collection}.")

    def _make_empty(self, connection: sa.Connection) -> None:
        """With the current schema, and nothing of an earlier load."""
        stored = read_version(connection)
        self._check_loadable(connection, stored)
        if stored is None or not stored.is_created:
            self._create_schema(connection, stored)
        elif (load := stored.load) is not None:
            delete_everything(connection)
            for name in MIGRATIONS.after(stored.version) or ():
                migrate(connection, name, lambda _: None, lambda version: StoredVersion(version, load))

    # ---------- what is refused

    def _check_exists(self) -> None:
        with self._translated():
            if not self._database.exists():
                raise Conflict(f"{self._database.name} does not exist; `orchestra database create` creates it.")

    def _check_nothing_else(self, connection: sa.Connection) -> None:
        """What a creation left that was interrupted is ours."""
        tables = set(sa.inspect(connection).get_table_names())
        if tables and TABLE not in tables:
            raise Conflict(f"{self._database.name} is not empty: it has the table {min(tables)!r} of something else.")

    def _refuse(self, stored: StoredVersion | None, *states: SchemaState) -> None:
        if (state := MIGRATIONS.state_of(stored)) in states:
            version = stored.version if stored else None
            raise Conflict(f"{self._database.name} {advice(state, version, MIGRATIONS.newest)}.")

    # ---------- transactions

    @contextmanager
    def _connected(self, *, is_writing: bool) -> Generator[sa.Connection]:
        with self._translated():
            engine = sa.create_engine(
                self._database.sqlalchemy_url(),
                poolclass=sa.NullPool,
                creator=lambda: self._database.connect_driver(is_writer=is_writing),
            )
            connection = engine.connect()
        with connection:
            yield connection

    @contextmanager
    def _committed(self, connection: sa.Connection) -> Generator[None]:
        """For writing, and alone; committed at its end."""
        with self._translated(), self._database.alone(connection):
            try:
                yield
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Errors of SQLAlchemy and the drivers as StorageUnavailable, where they are that."""
        try:
            yield
        except OrchestraError:
            raise
        except Exception as error:  # each driver has its own; what none of them knows goes on as it is
            origin = error.orig if isinstance(error, DBAPIError) else error
            told = self._database.translate(origin) if isinstance(origin, Exception) else None
            if told is None:
                raise
            raise told from None
