"""Filling an empty database: a transaction for each lot of rows, and a mark in the version until all are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import sqlalchemy as sa

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import Row
from job_orchestra.storage.schema import COLLECTIONS
from job_orchestra.storage.schema_versions import StoredVersion
from job_orchestra.storage.sql.databases import Database
from job_orchestra.storage.sql.migrations.version_table import read_version, write_version
from job_orchestra.storage.sql.statements import Statements


class SqlLoad:
    """Implements `storage.port.Load`. `transaction` is one for writing that nobody else has at the same time."""

    def __init__(
        self,
        database: Database,
        connection: sa.Connection,
        transaction: Callable[[sa.Connection], AbstractContextManager[None]],
        mark: StoredVersion,
    ) -> None:
        self._database = database
        self._connection = connection
        self._statements = Statements(database.dialect)
        self._transaction = transaction
        self._mark = mark

    def insert(self, collection: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        prepared = self._statements.rows(collection, rows)
        with self._transaction(self._connection):
            self._check_mark()
            if not self._database.insert_all(self._connection.connection.driver_connection, prepared):
                raise Conflict(f"Two rows of {collection} have values that only one of them may have.")

    def complete(self) -> None:
        with self._transaction(self._connection):
            self._check_mark()
            write_version(self._connection, StoredVersion(self._mark.version))

    def _check_mark(self) -> None:
        if read_version(self._connection) != self._mark:
            raise Conflict(f"{self._database.name} is being loaded by somebody else, who began later.")


def prove_insertable(connection: sa.Connection) -> None:
    """Raises what the server says to who may not insert; it is asked for no row, so nothing changes."""
    for collection in COLLECTIONS:
        names = [column.name for column in collection.columns]
        table = sa.table(collection.name, *map(sa.column, names))
        connection.execute(sa.insert(table).from_select(names, sa.select(table).where(sa.false())))


def collection_with_rows(connection: sa.Connection) -> str | None:
    """The first one."""
    names = (collection.name for collection in COLLECTIONS)
    return next((name for name in names if connection.execute(_any_row(name)).first() is not None), None)


def delete_everything(connection: sa.Connection) -> None:
    tables = set(sa.inspect(connection).get_table_names())
    for collection in COLLECTIONS:
        if collection.name in tables:  # a schema that is older has fewer
            connection.execute(sa.delete(sa.table(collection.name)))


def _any_row(collection: str) -> sa.Select[int]:
    return sa.select(sa.literal_column("1", sa.Integer)).select_from(sa.table(collection)).limit(1)
