"""Whether a row of an export fits its collection."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias, cast

from job_orchestra.storage.port import Row, Value
from job_orchestra.storage.schema import Collection, Column, ColumnType

_Check: TypeAlias = Callable[[Value], str | None]
"""What is wrong with a value that is not None."""


class RowCheck:
    def __init__(self, collection: Collection, *, is_current: bool) -> None:
        """Rows of an earlier schema may lack columns that have a default."""
        self._collection = collection
        self._checks = {column.name: (_takes_none(column), _check_of(column)) for column in collection.columns}
        self._required = frozenset(
            column.name for column in collection.columns if is_current or not _has_default(column)
        )

    def check(self, row: object) -> Row:
        """ValueError tells what is wrong."""
        if not isinstance(row, dict):
            raise ValueError("a row is an object")
        values = cast("dict[str, Value]", row)
        for name, value in values.items():
            if name not in self._checks:
                raise ValueError(f"{self._collection.name} has no column {name!r}")
            takes_none, check = self._checks[name]
            wrong = (None if takes_none else "takes no null") if value is None else check and check(value)
            if wrong:
                raise ValueError(f"column {name} {wrong}")
        if missing := self._required - values.keys():
            raise ValueError(f"column {min(missing)} is missing")
        return values


def _has_default(column: Column) -> bool:
    return column.is_nullable or column.default is not None


def _takes_none(column: Column) -> bool:
    return column.is_nullable or column.type is ColumnType.JSON


def _check_of(column: Column) -> _Check | None:
    return _CHECKS[column.type] if column.longest is None else partial(_bounded_text, column.longest)


def _bounded_text(longest: int, value: Value) -> str | None:
    if isinstance(value, str) and len(value) > longest:
        return f"takes at most {longest} characters, not {len(value)}"
    return _text(value)


def _text(value: Value) -> str | None:
    if not isinstance(value, str):
        return "takes text"
    if "\0" in value:
        return "takes no text with the character NUL"
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return "takes no text with half of a surrogate pair"
    return None


def _integer(value: Value) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        return "takes an integer of 64 bits"
    return None


def _number(value: Value) -> str | None:
    if not isinstance(value, float) or not math.isfinite(value):
        return "takes a number with a decimal point"
    return None


def _boolean(value: Value) -> str | None:
    return None if isinstance(value, bool) else "takes true or false"


_CHECKS: Mapping[ColumnType, _Check | None] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.JSON: None,
}
