"""Creating and upgrading the schema."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from job_orchestra.domain.errors import Conflict, OrchestraError
from job_orchestra.storage.port import SchemaState
from job_orchestra.storage.schema_check import advice
from job_orchestra.storage.sql.databases import Database, database_at
from job_orchestra.storage.sql.migrations import migrate, migration_names, migrations_after, newest_version, state_of
from job_orchestra.storage.sql.migrations.version_table import VERSION_TABLE, create_version_table, read_version
from job_orchestra.storage.sql.urls import parse_database_url


class SqlAdministration:
    """Implements `storage.port.StorageAdministration`."""

    def __init__(self, url: str, directory: Path | None = None) -> None:
        self._database: Database = database_at(parse_database_url(url, directory))

    def create(self) -> None:
        with self._translated():
            if not self._database.exists():
                self._database.create()
        with self._changing() as connection:
            tables = set(sa.inspect(connection).get_table_names())
            if read_version(connection) is not None:
                raise Conflict(f"{self._database.name} has a schema already; `orchestra database status` tells which.")
            if tables and VERSION_TABLE not in tables:
                raise Conflict(
                    f"{self._database.name} is not empty: it has the table {min(tables)!r} of something else."
                )
            # First of all, so that a creation that was interrupted is known as such, and finished by the next one.
            create_version_table(connection)
            for name in migration_names():
                migrate(connection, name, lambda _: None)

    def upgrade(self, tell: Callable[[str], None] = lambda _: None) -> Sequence[str]:
        with self._translated():
            if not self._database.exists():
                raise Conflict(f"{self._database.name} does not exist; `orchestra database create` creates it.")
        done: list[str] = []
        while True:
            # Each is committed by itself, and may have been carried out by somebody else meanwhile.
            with self._changing() as connection:
                missing = self._missing(connection)
                if not missing:
                    return done
                migrate(connection, missing[0], tell)
            done.append(missing[0])

    def _missing(self, connection: sa.Connection) -> Sequence[str]:
        version = read_version(connection)
        if version is None:
            raise Conflict(f"{self._database.name} has no schema; `orchestra database create` creates it.")
        missing = migrations_after(version)
        if missing is None:
            raise Conflict(f"{self._database.name} {advice(SchemaState.NEWER, version, newest_version())}.")
        return missing

    def state(self) -> SchemaState:
        return state_of(self.versions()[0])

    def versions(self) -> tuple[str | None, str]:
        with self._translated():
            exists = self._database.exists()
        if not exists:
            return None, newest_version()
        with self._connection(is_writing=False) as connection:
            return read_version(connection), newest_version()

    def warnings(self) -> Sequence[str]:
        with self._translated():
            return self._database.warnings() if self._database.exists() else ()

    @contextmanager
    def _changing(self) -> Generator[sa.Connection]:
        with self._connection(is_writing=True) as connection:
            self._database.begin_schema_change(connection)
            yield connection
            connection.commit()

    @contextmanager
    def _connection(self, *, is_writing: bool) -> Generator[sa.Connection]:
        with self._translated():
            engine = sa.create_engine(
                self._database.sqlalchemy_url(),
                poolclass=sa.NullPool,
                creator=lambda: self._database.connect_driver(is_writer=is_writing),
            )
            with engine.connect() as connection:
                yield connection

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
