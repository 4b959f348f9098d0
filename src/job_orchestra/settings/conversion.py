"""Values of TOML and of environment variables become those of the settings; WrongType says what was expected."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.stopping import OnStop
from job_orchestra.settings.sections import LogLevel


class WrongType(ValueError):
    pass


def from_toml(wanted: object, value: object) -> object:
    """`wanted` is the annotation of the field."""
    return _FROM_TOML[wanted](value)


def from_environment(wanted: object, text: str) -> object:
    if wanted in (int, int | None):
        return _from_text(int, text, "a whole number")
    if wanted is bool:
        return _from_text(_truth, text, "true or false")
    if wanted == tuple[str, ...] or wanted == tuple[Path, ...]:
        return from_toml(wanted, [part for part in (part.strip() for part in text.split(",")) if part])
    if wanted == JsonObject:
        return _table(_from_text(json.loads, text, 'a JSON object like {"disk": "fast"}'))
    return from_toml(wanted, text)


def _from_text(convert: Callable[[str], object], text: str, expected: str) -> object:
    try:
        return convert(text)
    except (ValueError, KeyError):
        raise WrongType(f"{text!r} is not {expected}") from None


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongType(f"{_shown(value)} is not text in quotes")
    if "\0" in value:
        raise WrongType("it contains a NUL character")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongType(f"{_shown(value)} is not a whole number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongType(f"{_shown(value)} is neither true nor false")
    return value


def _path(value: object) -> Path:
    text = _text(value)
    if not text:
        raise WrongType("it must not be empty")
    return Path(text).expanduser()


def _one_of(words: type[StrEnum]) -> Callable[[object], StrEnum]:
    def convert(value: object) -> StrEnum:
        try:
            return words(_text(value).lower())
        except ValueError:
            raise WrongType(f"{_shown(value)} is none of {', '.join(words)}") from None

    return convert


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise WrongType(f"{_shown(value)} is not a list of texts")
    return tuple(_text(item) for item in cast("list[object]", value))


def _paths(value: object) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise WrongType(f"{_shown(value)} is not a list of paths")
    return tuple(_path(item) for item in cast("list[object]", value))


def _table(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise WrongType(f"{_shown(value)} is not a table")
    table = cast("JsonObject", value)
    for name, item in table.items():
        _check_json(name, item)
    return table


def _check_json(place: str, value: object) -> None:
    if isinstance(value, date | datetime | time):
        raise WrongType(f"{place} is a date, which has to be written as text in quotes")
    if isinstance(value, float) and not math.isfinite(value):
        raise WrongType(f"{place} is not a finite number")
    if isinstance(value, dict):
        for name, item in cast("dict[str, object]", value).items():
            _check_json(f"{place}.{name}", item)
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            _check_json(f"{place}[{index}]", item)


def _shown(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


_FROM_TOML: Mapping[Any, Callable[[object], object]] = {
    str: _text,
    int: _whole,
    int | None: _whole,
    bool: _flag,
    Path: _path,
    Path | None: _path,
    LogLevel: _one_of(LogLevel),
    OnStop: _one_of(OnStop),
    tuple[str, ...]: _texts,
    tuple[Path, ...]: _paths,
    JsonObject: _table,
}
