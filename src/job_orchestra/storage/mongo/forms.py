"""What rows are in MongoDB: one document each, its `_id` made of the key's columns.

`_id` is the value of the one column, or a document of several; documents compare field by field, so that the index on
`_id` finds keys, the beginnings of keys, and pages in the order of keys. JSON is kept as its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import Int64, encode
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from job_orchestra.storage import values
from job_orchestra.storage.mongo.clients import Document
from job_orchestra.storage.port import Row, Value
from job_orchestra.storage.schema import COLLECTIONS, Collection, Column, ColumnType
from job_orchestra.storage.values import Decoder, PlainValue, decoder

ID = "_id"
MOST_BYTES = 16 << 20
_RAW = CodecOptions[RawBSONDocument](RawBSONDocument)


class Form:
    """What is known of a collection."""

    def __init__(self, collection: Collection) -> None:
        self.name = collection.name
        self.key = collection.key
        self.indexes = [index.columns for index in collection.indexes]
        """Their columns; the key has its own."""
        self._one_key = collection.key[0] if len(collection.key) == 1 else None
        self._columns = {column.name: column for column in collection.columns}
        self._decoders = {column.name: _decoder(column) for column in collection.columns}

    def column(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            raise KeyError(f"collection {self.name} has no column {name}") from None

    def path(self, column: str) -> str:
        """Where it is in a document."""
        if column not in self.key:
            return column
        return ID if self._one_key else f"{ID}.{column}"

    def encode(self, column: str, value: Value) -> Any:
        """KeyError, TypeError or ValueError for what does not belong there."""
        found = self.column(column)
        return _of_one_kind(found, values.encode(found, value))

    def encode_compared(self, column: str, value: Value) -> Any:
        """The same for a value that is only compared with."""
        found = self.column(column)
        return _of_one_kind(found, values.encode_compared(found, value))

    def identity(self, encoded: Mapping[str, Any]) -> Any:
        """`_id`, of encoded values for each column of the key."""
        return encoded[self._one_key] if self._one_key else {name: encoded[name] for name in self.key}

    def document(self, row: Row) -> RawBSONDocument:
        """Of a new row, with the defaults of what it leaves out."""
        for name in row:
            self.column(name)
        given = {name: self.encode(name, row.get(name, column.default)) for name, column in self._columns.items()}
        document = {ID: self.identity(given)}
        document |= {name: value for name, value in given.items() if name not in self.key}
        encoded = encode(document)
        if len(encoded) > MOST_BYTES:
            raise ValueError(
                f"a row of {self.name} would have {len(encoded):,} bytes; MongoDB takes {MOST_BYTES:,} at most"
            )
        return RawBSONDocument(encoded, _RAW)

    def row(self, document: Document) -> Row:
        """What a document lacks, because it is older than the column, is None."""
        identity = document[ID]
        found = document | ({self._one_key: identity} if self._one_key else identity)
        return {name: decode(found.get(name)) for name, decode in self._decoders.items()}


def forms_of(collections: Sequence[Collection] = COLLECTIONS) -> dict[str, Form]:
    return {collection.name: Form(collection) for collection in collections}


def _of_one_kind(column: Column, value: PlainValue) -> Any:
    """Integers as 64 bits, whatever their size: the kind of a value never depends on the value."""
    return Int64(value) if column.type is ColumnType.INTEGER and value is not None else value


def _decoder(column: Column) -> Decoder:
    if column.type is ColumnType.INTEGER:
        return _decode_integer
    return decoder(column) or _as_it_is


def _decode_integer(value: Any) -> Value:
    return None if value is None else int(value)  # of the driver's own kind, which shows itself as such


def _as_it_is(value: Any) -> Value:
    return value  # type: ignore[no-any-return]
