"""Creating and upgrading the schema. Alembic is loaded only where there is something to carry out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import SchemaState
from job_orchestra.storage.sql.databases import Database, database_at
from job_orchestra.storage.sql.migrations import migrate, newest_version, versions_after
from job_orchestra.storage.sql.urls import DatabaseKind, parse_database_url

_VERSION_TABLE = "alembic_version"
_LOCK = 0x6A6F6273  # PostgreSQL's advisory locks are numbers; this one is ours


class SqlAdministration:
    """Implements `storage.port.StorageAdministration`."""

    def __init__(self, url: str, directory: Path | None = None) -> None:
        parsed = parse_database_url(url, directory)
        self._database: Database = database_at(parsed)
        self._kind = parsed.kind

    def create(self) -> None:
        with self._translated():
            if not self._database.exists():
                self._database.create()
        with self._transaction() as connection:
            tables = set(sa.inspect(connection).get_table_names())
            if _VERSION_TABLE in tables:
                raise Conflict(f"{self._database.name} has a schema already; `orchestra database status` tells which.")
            if tables:
                raise Conflict(
                    f"{self._database.name} is not empty: it has the table {min(tables)!r} of something else."
                )
            migrate(connection)

    def upgrade(self) -> Sequence[str]:
        with self._translated():
            if not self._database.exists():
                raise Conflict(f"{self._database.name} does not exist; `orchestra database create` creates it.")
        with self._transaction() as connection:
            version = _version(connection)
            if version is None:
                raise Conflict(f"{self._database.name} has no schema; `orchestra database create` creates it.")
            missing = versions_after(version)
            if missing is None:
                raise Conflict(
                    f"{self._database.name} has version {version}, this program knows none above {newest_version()}: "
                    "the program is older than the database."
                )
            if missing:
                migrate(connection)
            return missing

    def state(self) -> SchemaState:
        version, newest = self.versions()
        if version is None:
            return SchemaState.MISSING
        if version == newest:
            return SchemaState.CURRENT
        return SchemaState.NEWER if versions_after(version) is None else SchemaState.OLDER

    def versions(self) -> tuple[str | None, str]:
        with self._translated():
            exists = self._database.exists()
        if not exists:
            return None, newest_version()
        with self._transaction(is_writing=False) as connection:
            return _version(connection), newest_version()

    @contextmanager
    def _transaction(self, *, is_writing: bool = True) -> Generator[sa.Connection]:
        with self._translated():
            engine = sa.create_engine(
                self._database.sqlalchemy_url(),
                poolclass=sa.NullPool,
                creator=lambda: self._database.connect_driver(is_writer=is_writing),
            )
            with engine.connect() as connection:
                self._begin(connection, is_writing=is_writing)
                yield connection
                connection.commit()

    def _begin(self, connection: sa.Connection, *, is_writing: bool) -> None:
        """What follows becomes one transaction, changes of the schema included; others who would change it wait."""
        if self._kind is DatabaseKind.SQLITE:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
        elif is_writing:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

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


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return None
    return connection.execute(
        sa.select(sa.column("version_num", sa.String)).select_from(sa.table(_VERSION_TABLE))
    ).scalar_one_or_none()
