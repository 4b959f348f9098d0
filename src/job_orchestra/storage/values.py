"""Values on their way into columns and back. What no database could keep unchanged is refused at once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from job_orchestra.storage.port import Value
from job_orchestra.storage.schema import Column, ColumnType

PlainValue: TypeAlias = None | bool | int | float | str
"""What databases keep: JSON as its text."""
Encoder: TypeAlias = Callable[[Column, Value], PlainValue]
Decoder: TypeAlias = Callable[[PlainValue], Value]

_LEAST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**63 - 1

# Escaped to ASCII, so that any text survives: the character NUL and halves of surrogate pairs among it.
_encode_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def encode(column: Column, value: Value) -> PlainValue:
    """TypeError or ValueError, naming the column, for what does not belong there."""
    encoded = encode_compared(column, value)
    if column.longest is not None and isinstance(encoded, str) and len(encoded) > column.longest:
        raise ValueError(f"column {column.name} takes at most {column.longest} characters, not {len(encoded)}")
    return encoded


def encode_compared(column: Column, value: Value) -> PlainValue:
    """The same for a value that is only compared with: what is too long for the column is merely not there."""
    if value is None and (column.is_nullable or column.type is not ColumnType.JSON):
        if not column.is_nullable:
            raise TypeError(f"column {column.name} takes no None")
        return None
    return _ENCODERS[column.type](column, value)


def decoder(column: Column) -> Decoder | None:
    """What makes a value of what the drivers hand out; None where that is the value already."""
    match column.type:
        case ColumnType.JSON:
            return _decode_json
        case ColumnType.BOOLEAN:
            return _decode_boolean  # SQLite has numbers for them
        case _:
            return None


def _text(column: Column, value: Value) -> PlainValue:
    if not isinstance(value, str):
        _refuse_type(column, value)
    if "\0" in value:
        raise ValueError(f"column {column.name} takes no text with the character NUL")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"column {column.name} takes no text with half of a surrogate pair") from None
    return str.__str__(value)  # a plain one: drivers have their own idea of enumerations


def _integer(column: Column, value: Value) -> PlainValue:
    if not isinstance(value, int) or isinstance(value, bool):
        _refuse_type(column, value)
    if not _LEAST_INTEGER <= value <= _GREATEST_INTEGER:
        raise ValueError(f"column {column.name} takes no integer of more than 64 bits")
    return int(value)


def _number(column: Column, value: Value) -> PlainValue:
    if not isinstance(value, int | float) or isinstance(value, bool):
        _refuse_type(column, value)
    number = float(value) + 0.0  # minus zero becomes zero, for MariaDB has no other
    if not math.isfinite(number):
        raise ValueError(f"column {column.name} takes no {number}")
    return number


def _boolean(column: Column, value: Value) -> PlainValue:
    if not isinstance(value, bool):
        _refuse_type(column, value)
    return value


def _json(column: Column, value: Value) -> PlainValue:
    try:
        return _encode_json(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"column {column.name} takes JSON data only: {error}") from error


def _decode_json(value: PlainValue) -> Value:
    return None if value is None else json.loads(str(value))


def _decode_boolean(value: PlainValue) -> Value:
    return None if value is None else bool(value)


def _refuse_type(column: Column, value: Value) -> NoReturn:
    raise TypeError(f"column {column.name} takes {column.type.value}, not {type(value).__name__}")


_ENCODERS: dict[ColumnType, Encoder] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.JSON: _json,
}
