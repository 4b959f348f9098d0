"""Values of a row by the type that the schema gives their column."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.moments import from_microseconds, to_microseconds
from job_orchestra.storage.port import Row


def text(row: Row, column: str) -> str:
    return cast("str", row[column])


def optional_text(row: Row, column: str) -> str | None:
    return cast("str | None", row[column])


def integer(row: Row, column: str) -> int:
    return cast("int", row[column])


def optional_integer(row: Row, column: str) -> int | None:
    return cast("int | None", row[column])


def optional_number(row: Row, column: str) -> float | None:
    return cast("float | None", row[column])


def flag(row: Row, column: str) -> bool:
    return cast("bool", row[column])


def json_object(row: Row, column: str) -> JsonObject:
    return cast("JsonObject", row[column])


def json_list(row: Row, column: str) -> list[JsonValue]:
    return cast("list[JsonValue]", row[column])


def json_objects(row: Row, column: str) -> list[JsonObject]:
    """None counts as an empty list."""
    return cast("list[JsonObject] | None", row[column]) or []


def moment(row: Row, column: str) -> datetime:
    return from_microseconds(cast("int", row[column]))


def optional_moment(row: Row, column: str) -> datetime | None:
    value = row[column]
    return None if value is None else from_microseconds(cast("int", value))


def optional_microseconds(date: datetime | None) -> int | None:
    return None if date is None else to_microseconds(date)
