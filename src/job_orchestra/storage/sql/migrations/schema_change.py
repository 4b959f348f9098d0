"""What migrations do: each step looks whether it is done already, so that a migration may be carried out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Executable,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    inspect,
    literal,
    text,
)
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable, DropIndex

from job_orchestra.storage.sql.tables import TABLE_OPTIONS, index_name

_MOST_COUNTED = 1_000_000


class SchemaChange:
    """On one connection; `tell` is given a line before each step that is carried out."""

    def __init__(self, connection: Connection, tell: Callable[[str], None]) -> None:
        self._connection = connection
        self._tell = tell
        self._there = inspect(connection)
        """What is there; it remembers what it has seen until something is changed."""

    def create_table(self, name: str, *columns: Column[Any], key: tuple[str, ...]) -> None:
        if not self._there.has_table(name):
            self._tell(f"creating the table {name}")
            table = Table(name, MetaData(), *columns, PrimaryKeyConstraint(*key), **TABLE_OPTIONS)
            self._execute(CreateTable(table))

    def create_index(self, table: str, *columns: str, is_unique: bool = False) -> None:
        index = self._index(table, columns, is_unique)
        if index.name not in self._indexes(table):
            self._tell(f"creating the index {index.name}{self._size(table)}")
            self._execute(CreateIndex(index))

    def drop_index(self, table: str, *columns: str) -> None:
        index = self._index(table, columns)
        if index.name in self._indexes(table):
            self._tell(f"removing the index {index.name}")
            self._execute(DropIndex(index))

    def add_column(self, table: str, column: Column[Any], for_rows: bool | int | None = None) -> None:
        """The last one of the table. Rows that are there get the value `for_rows`, which is no default afterwards."""
        if self._connection.dialect.name == "sqlite" and for_rows is not None:
            self._add_column_by_copying(table, column, for_rows)
            return
        names = self._connection.dialect.identifier_preparer
        altered = f"ALTER TABLE {names.quote(table)}"
        if not self._has_column(table, column.name):
            self._tell(f"adding the column {column.name} to {table}{self._size(table)}")
            added = CreateColumn(column).compile(dialect=self._connection.dialect)
            default = "" if for_rows is None else f" DEFAULT {self._written(for_rows)}"
            self._execute(text(f"{altered} ADD COLUMN {added}{default}"))
        if for_rows is not None and self._has_default(table, column.name):
            self._execute(text(f"{altered} ALTER COLUMN {names.quote(column.name)} DROP DEFAULT"))

    def _add_column_by_copying(self, table: str, column: Column[Any], for_rows: bool | int) -> None:
        """SQLite takes a column that is never None only with a default, and keeps that for ever."""
        if self._has_column(table, column.name):
            return
        self._tell(f"adding the column {column.name} to {table}{self._size(table)}")
        before = Table(table, MetaData(), autoload_with=self._connection)
        copy = before.to_metadata(MetaData(), name=f"{table}_new")
        indexes = [(tuple(index.columns.keys()), bool(index.unique)) for index in before.indexes]
        copy.indexes.clear()
        copy.append_column(column)
        self._execute(CreateTable(copy))
        columns = ", ".join(f'"{name}"' for name in before.columns.keys())  # noqa: SIM118 - a collection of columns
        value = self._written(for_rows)
        for statement in (
            f'INSERT INTO "{copy.name}" ({columns}, "{column.name}") SELECT {columns}, {value} FROM "{table}"',  # noqa: S608 - names of ours
            f'DROP TABLE "{table}"',
            f'ALTER TABLE "{copy.name}" RENAME TO "{table}"',
        ):
            self._execute(text(statement))
        for names, is_unique in indexes:
            self._execute(CreateIndex(self._index(table, names, is_unique)))

    def _execute(self, statement: Executable) -> None:
        self._connection.execute(statement)
        self._there.clear_cache()

    def _written(self, value: bool | int) -> str:
        """As SQL of this database."""
        return str(literal(value).compile(dialect=self._connection.dialect, compile_kwargs={"literal_binds": True}))

    def _index(self, table: str, columns: tuple[str, ...], is_unique: bool = False) -> Index:
        bare = Table(table, MetaData(), *(Column[Any](name) for name in columns))
        return Index(index_name(table, columns), *(bare.c[name] for name in columns), unique=is_unique)

    def _indexes(self, table: str) -> set[str | None]:
        return {index["name"] for index in self._there.get_indexes(table)}

    def _has_column(self, table: str, name: str) -> bool:
        return any(each["name"] == name for each in self._there.get_columns(table))

    def _has_default(self, table: str, name: str) -> bool:
        columns = self._there.get_columns(table)
        return any(each["name"] == name and each["default"] is not None for each in columns)

    def _size(self, table: str) -> str:
        """How much there is to do, for the line that is told."""
        name = self._connection.dialect.identifier_preparer.quote(table)
        bounded = f"SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {_MOST_COUNTED + 1}) AS bounded"  # noqa: S608
        rows = self._connection.execute(text(bounded)).scalar_one()
        return f" (more than {_MOST_COUNTED:,} rows)" if rows > _MOST_COUNTED else f" ({rows:,} rows)"
