"""Schemas of any version, with rows in them, and what is in a database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from job_orchestra.storage.schema_versions import version_of
from job_orchestra.storage.sql.databases import database_at
from job_orchestra.storage.sql.migrations import MIGRATIONS, migrate
from job_orchestra.storage.sql.migrations.version_table import create_version_table
from job_orchestra.storage.sql.urls import parse_database_url
from job_orchestra.storage.sql.versions import TABLE


def engine_of(url: str) -> sa.Engine:
    database = database_at(parse_database_url(url))
    return sa.create_engine(
        database.sqlalchemy_url(), poolclass=sa.NullPool, creator=lambda: database.connect_driver(is_writer=True)
    )


def create_version(url: str, version: str) -> None:
    """An earlier schema, as the program of its time made it."""
    database = database_at(parse_database_url(url))
    if not database.exists():
        database.create()
    with engine_of(url).begin() as connection:
        create_version_table(connection)
        for name in MIGRATIONS.names:
            if version_of(name) <= version:
                migrate(connection, name, print)


def execute(url: str, statement: str) -> None:
    with engine_of(url).begin() as connection:
        connection.execute(sa.text(statement))


def described(url: str) -> dict[str, object]:
    """All that inspection tells of each table."""
    described: dict[str, object] = {}
    with engine_of(url).connect() as connection:
        inspector = sa.inspect(connection)
        for table in sorted(inspector.get_table_names()):
            if table != TABLE:
                columns = [{**column, "type": repr(column["type"])} for column in inspector.get_columns(table)]
                indexes = sorted(inspector.get_indexes(table), key=lambda index: str(index["name"]))
                key = inspector.get_pk_constraint(table)["constrained_columns"]
                described[table] = (columns, indexes, key, inspector.get_unique_constraints(table))
    return described


def fill(url: str) -> None:
    """A few rows in every table, each value different from what an upgrade may write."""
    with engine_of(url).begin() as connection:
        for table in _tables(connection):
            for number in range(3):
                row = {column.name: _value(column, number) for column in table.columns}
                connection.execute(sa.insert(table).values(row))


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Of each table, in the order of its key."""
    with engine_of(url).connect() as connection:
        return {
            table.name: [
                dict(row._mapping)  # pyright: ignore[reportPrivateUsage] - its public name, says SQLAlchemy
                for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in _tables(connection)
        }


def _tables(connection: sa.Connection) -> list[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != TABLE]


def _value(column: sa.Column[Any], number: int) -> Any:
    kind = column.type
    if column.nullable and number == 1:
        return None
    if isinstance(kind, sa.JSON):
        return {"a": [number, "\u00e9 "]}
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Float):
        return number + 0.1
    if isinstance(kind, sa.Integer):
        return 1 if kind.__class__.__name__ == "TINYINT" else number + 2**40
    return f"{number} \u00e9 "
