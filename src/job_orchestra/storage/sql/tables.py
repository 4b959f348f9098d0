"""Tables made from the collections of the schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, MetaData, PrimaryKeyConstraint, Table, Text
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Index as SqlIndex
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from job_orchestra.storage.schema import COLLECTIONS, Collection, ColumnType


def metadata_of(collections: Iterable[Collection] = COLLECTIONS) -> MetaData:
    metadata = MetaData()
    for collection in collections:
        _table(collection, metadata)
    return metadata


def column_type(kind: ColumnType) -> TypeEngine[Any]:
    """What a column of the schema is in SQL.

    JSON is kept as the text that was written, in PostgreSQL too (`json`, not `jsonb`): `jsonb` refuses the character
    NUL, forgets how numbers were written and limits them. The price: a query into results parses each text it looks at.
    """
    match kind:
        case ColumnType.TEXT:
            # SQLite compares byte by byte anyway.
            return Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
        case ColumnType.INTEGER:
            return BigInteger()
        case ColumnType.NUMBER:
            return Double[float]()
        case ColumnType.BOOLEAN:
            return Boolean()
        case ColumnType.JSON:
            return Text().with_variant(postgresql.JSON(), "postgresql")


def _table(collection: Collection, metadata: MetaData) -> Table:
    columns = [
        SqlColumn(
            column.name,
            column_type(column.type),
            nullable=column.is_nullable,
            autoincrement=False,
        )
        for column in collection.columns
    ]
    table = Table(collection.name, metadata, *columns, PrimaryKeyConstraint(*collection.key))
    for index in collection.indexes:
        name = index_name(collection.name, index.columns)
        SqlIndex(name, *(table.c[column] for column in index.columns), unique=index.is_unique)
    return table


def index_name(collection: str, columns: Iterable[str]) -> str:
    """At most 63 bytes, as PostgreSQL wants; the schema's test checks that."""
    return f"{collection}_by_{'_'.join(columns)}"
