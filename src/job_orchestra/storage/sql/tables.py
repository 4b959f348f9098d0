"""Tables made from the collections of the schema."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, MetaData, PrimaryKeyConstraint, Table, Text
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Index as SqlIndex
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeEngine

from job_orchestra.storage.schema import COLLECTIONS, Collection, ColumnType


@cache
def metadata_of(collections: tuple[Collection, ...] = COLLECTIONS) -> MetaData:
    """Not to be changed: whoever asks for the same collections gets the same."""
    metadata = MetaData()
    for collection in collections:
        _table(collection, metadata)
    return metadata


TABLE_OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_row_format": "DYNAMIC"}
"""Whatever the server's defaults are."""

_EXACT = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_0900_bin"}
"""Collations that compare byte by byte, spaces at the end included; `utf8mb4_bin` ignores those."""


def column_type(kind: ColumnType, longest: int | None = None) -> TypeEngine[Any]:
    """What a column of the schema is in SQL; a text of at most `longest` characters may stand in keys and indexes.

    JSON is kept as the text that was written, in PostgreSQL too (`json`, not `jsonb`): `jsonb` refuses the character
    NUL, forgets how numbers were written and limits them. The price: a query into results parses each text it looks at.
    The JSON of MySQL does likewise, that of MariaDB is text.
    """
    match kind:
        case ColumnType.TEXT:
            # SQLite compares byte by byte anyway.
            text = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
            for dialect, collation in _EXACT.items():
                text = text.with_variant(_exact_text(collation, longest), dialect)
            return text
        case ColumnType.INTEGER:
            return BigInteger()
        case ColumnType.NUMBER:
            return Double[float]()
        case ColumnType.BOOLEAN:
            return Boolean()
        case ColumnType.JSON:
            json = Text().with_variant(postgresql.JSON(), "postgresql")
            for dialect, collation in _EXACT.items():
                json = json.with_variant(_exact_text(collation, None), dialect)
            return json


def _exact_text(collation: str, longest: int | None) -> TypeEngine[Any]:
    if longest is None:
        return mysql.LONGTEXT(charset="utf8mb4", collation=collation)
    return mysql.VARCHAR(longest, charset="utf8mb4", collation=collation)


def _table(collection: Collection, metadata: MetaData) -> Table:
    columns = [
        SqlColumn(
            column.name,
            column_type(column.type, column.longest),
            nullable=column.is_nullable,
            autoincrement=False,
        )
        for column in collection.columns
    ]
    table = Table(collection.name, metadata, *columns, PrimaryKeyConstraint(*collection.key), **TABLE_OPTIONS)
    for index in collection.indexes:
        name = index_name(collection.name, index.columns)
        SqlIndex(name, *(table.c[column] for column in index.columns), unique=index.is_unique)
    return table


def index_name(collection: str, columns: Iterable[str]) -> str:
    """At most 63 bytes, as PostgreSQL wants; the schema's test checks that."""
    return f"{collection}_by_{'_'.join(columns)}"
