"""Creating, upgrading, reading and filling whole databases. Alembic is loaded only where it has something to do."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import Load, SchemaState, Snapshot
from job_orchestra.storage.sql import versions
from job_orchestra.storage.sql.databases import Database, database_at
from job_orchestra.storage.sql.loads import SqlLoad, collection_with_rows, delete_everything
from job_orchestra.storage.sql.migrations import migrate, newest_version, versions_after
from job_orchestra.storage.sql.snapshots import SqlSnapshot
from job_orchestra.storage.sql.statements import Statements
from job_orchestra.storage.sql.urls import DatabaseKind, parse_database_url
from job_orchestra.storage.sql.versions import StoredVersion, read_version, write_version

_LOCK = 0x6A6F6273  # PostgreSQL's advisory locks are numbers; this one is ours


class SqlAdministration:
    """Implements `storage.port.StorageAdministration`."""

    def __init__(self, url: str, directory: Path | None = None) -> None:
        parsed = parse_database_url(url, directory)
        self._database: Database = database_at(parsed)
        self._kind = parsed.kind

    # ---------- the schema

    def create(self) -> None:
        self._create_database()
        with self._transaction() as connection:
            self._create_schema(connection)

    def upgrade(self) -> Sequence[str]:
        self._check_exists()
        with self._transaction() as connection:
            stored = self._stored_version(connection)
            if stored.load is not None:
                raise self._incomplete()
            return self._upgrade(connection, stored.version)

    def state(self) -> SchemaState:
        stored = self._look()
        if stored is None:
            return SchemaState.MISSING
        if stored.load is not None:
            return SchemaState.INCOMPLETE
        if stored.version == newest_version():
            return SchemaState.CURRENT
        return SchemaState.NEWER if versions_after(stored.version) is None else SchemaState.OLDER

    def versions(self) -> tuple[str | None, str]:
        stored = self._look()
        return None if stored is None else stored.version, newest_version()

    def _look(self) -> StoredVersion | None:
        with self._translated():
            exists = self._database.exists()
        if not exists:
            return None
        with self._transaction(is_writing=False) as connection:
            return read_version(connection)

    def _create_database(self) -> None:
        with self._translated():
            if not self._database.exists():
                self._database.create()

    def _create_schema(self, connection: sa.Connection) -> None:
        tables = set(sa.inspect(connection).get_table_names())
        if versions.TABLE in tables:
            raise Conflict(f"{self._database.name} has a schema already; `orchestra database status` tells which.")
        self._check_nothing_else(tables)
        migrate(connection)

    def _upgrade(self, connection: sa.Connection, version: str) -> Sequence[str]:
        missing = versions_after(version)
        if missing is None:
            raise Conflict(
                f"{self._database.name} has version {version}, this program knows none above {newest_version()}: "
                "the program is older than the database."
            )
        if missing:
            migrate(connection)
        return missing

    # ---------- all rows

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        self._check_exists()
        with self._connected(is_writing=False) as connection:
            with self._translated():
                self._database.begin_snapshot(connection.connection.driver_connection)
                stored = self._stored_version(connection)
                if stored.load is not None:
                    raise self._incomplete()
                self._check_current(stored.version)
            yield SqlSnapshot(connection, Statements(self._database.dialect), self._translated)

    def check_loadable(self) -> None:
        with self._translated():
            exists = self._database.exists()
        if exists:
            with self._transaction(is_writing=False) as connection:
                self._check_loadable(connection, read_version(connection))

    @contextmanager
    def load(self) -> Generator[Load]:
        self._create_database()
        mark = StoredVersion.of_new_load(newest_version())
        statements = Statements(self._database.dialect)
        with self._connected(is_writing=True) as connection:
            with self._committed(connection):
                self._make_empty(connection)
                write_version(connection, mark)
            load = SqlLoad(self._database.name, connection, statements, self._committed, mark)
            yield load
            load.complete()

    def _check_loadable(self, connection: sa.Connection, stored: StoredVersion | None) -> None:
        if stored is None:
            self._check_nothing_else(set(sa.inspect(connection).get_table_names()))
        elif stored.load is None:
            self._check_current(stored.version)
            if (collection := collection_with_rows(connection)) is not None:
                raise Conflict(f"{self._database.name} is not empty: there are rows in {collection}.")
        elif versions_after(stored.version) is None:
            self._check_current(stored.version)

    def _make_empty(self, connection: sa.Connection) -> None:
        """With the current schema, and nothing of an earlier load."""
        stored = read_version(connection)
        self._check_loadable(connection, stored)
        if stored is None:
            self._create_schema(connection)
        elif stored.load is not None:
            delete_everything(connection)
            write_version(connection, StoredVersion(stored.version))
            self._upgrade(connection, stored.version)

    # ---------- what is refused

    def _check_exists(self) -> None:
        with self._translated():
            if not self._database.exists():
                raise Conflict(f"{self._database.name} does not exist; `orchestra database create` creates it.")

    def _stored_version(self, connection: sa.Connection) -> StoredVersion:
        stored = read_version(connection)
        if stored is None:
            raise Conflict(f"{self._database.name} has no schema; `orchestra database create` creates it.")
        return stored

    def _check_current(self, version: str) -> None:
        missing = versions_after(version)
        if missing is None:
            raise Conflict(
                f"{self._database.name} has schema {version}, this program knows none above {newest_version()}: "
                "install the newer program."
            )
        if missing:
            raise Conflict(
                f"{self._database.name} has schema {version}; `orchestra database upgrade` brings it to "
                f"{newest_version()}."
            )

    def _check_nothing_else(self, tables: set[str]) -> None:
        if tables:
            raise Conflict(f"{self._database.name} is not empty: it has the table {min(tables)!r} of something else.")

    def _incomplete(self) -> Conflict:
        return Conflict(
            f"{self._database.name} is not complete: an import did not come to its end; "
            "`orchestra database import` starts it over."
        )

    # ---------- transactions

    @contextmanager
    def _transaction(self, *, is_writing: bool = True) -> Generator[sa.Connection]:
        with self._connected(is_writing=is_writing) as connection, self._committed(connection, is_writing=is_writing):
            yield connection

    @contextmanager
    def _connected(self, *, is_writing: bool) -> Generator[sa.Connection]:
        engine = sa.create_engine(
            self._database.sqlalchemy_url(),
            poolclass=sa.NullPool,
            creator=lambda: self._database.connect_driver(is_writer=is_writing),
        )
        with self._translated():
            connection = engine.connect()
        with connection:
            yield connection

    @contextmanager
    def _committed(self, connection: sa.Connection, *, is_writing: bool = True) -> Generator[None]:
        """What is done becomes one transaction, changes of the schema included; others who would change it wait."""
        with self._translated():
            try:
                if self._kind is DatabaseKind.SQLITE:
                    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
                elif is_writing:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
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
        except Conflict:
            raise
        except Exception as error:  # each driver has its own; what none of them knows goes on as it is
            origin = error.orig if isinstance(error, DBAPIError) else error
            told = self._database.translate(origin) if isinstance(origin, Exception) else None
            if told is None:
                raise
            raise told from None
