"""Commands are built by Python's format syntax over mappings and lists; attributes of objects are out of reach."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any, cast

from job_orchestra.domain.definitions import Command
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.texts import flaw_of_text

_MOST_DIGITS = 10
_MOST_NAMES = 20
_LARGE_NUMBER = re.compile(r"\d{5,}")


class FormatError(ValueError):
    """A format string cannot be filled; the message names the field and what there is instead."""


def format_command(command: Command, values: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Each argument with its fields filled; FormatError names the argument at fault."""
    return tuple(
        _filled(argument, values, f"argument {index} ({argument!r})") for index, argument in enumerate(command)
    )


def format_text(text: str, values: Mapping[str, JsonValue]) -> str:
    """With its fields filled; FormatError names the text."""
    return _filled(text, values, repr(text))


def look_up_field(text: str, name: str, values: Mapping[str, JsonValue]) -> JsonValue:
    """What a field has, as it is; FormatError names the text that it is in."""
    try:
        value, _ = _MAPPINGS_ONLY.get_field(name, (), values)
    except FormatError as error:
        raise FormatError(f"{text!r}: {error}") from None
    return cast("JsonValue", value)


def _filled(text: str, values: Mapping[str, JsonValue], place: str) -> str:
    try:
        filled = _MAPPINGS_ONLY.vformat(text, (), values)
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        raise FormatError(f"{place}: {error}") from None
    if flaw := flaw_of_text(filled):
        raise FormatError(f"{place} {flaw}")
    return filled


class _MappingsOnlyFormatter(Formatter):
    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        first, keys = split_field(field_name)
        if first not in kwargs:
            raise FormatError(f"unknown field {first!r}; known are {', '.join(sorted(kwargs))}")
        value: Any = kwargs[first]
        path = first
        for key in keys:
            value = _look_up(value, key, path)
            path = f"{path}[{key}]"
        return value, first

    def format_field(self, value: Any, format_spec: str) -> str:
        if _LARGE_NUMBER.search(format_spec):
            raise FormatError(f"the format specification {format_spec!r} asks for too many characters")
        return str(super().format_field(value, format_spec))


def split_field(field_name: str) -> tuple[str, list[str]]:
    """`a[b][c]` as its name and keys; FormatError where it is not of that form."""
    first = re.split(r"[.\[]", field_name, maxsplit=1)[0]
    remainder = field_name[len(first) :]
    if remainder.startswith("."):
        raise FormatError(f"'{field_name}' reads an attribute; write {first}[…] instead")
    keys = re.findall(r"\[([^\]]*)\]", remainder)
    if "".join(f"[{key}]" for key in keys) != remainder:
        raise FormatError(f"{field_name!r} is not of the form name[key][key]")
    return first, keys


def _look_up(container: Any, key: str, path: str) -> Any:
    if isinstance(container, Mapping):
        value = cast("Mapping[str, Any]", container)
        if key in value:
            return value[key]
        raise FormatError(f"{path} has no {key!r}; it has {_some(sorted(map(str, value)))}")
    if isinstance(container, list):
        items = cast("Sequence[Any]", container)
        if key.isdecimal() and len(key) < _MOST_DIGITS and int(key) < len(items):
            return items[int(key)]
        raise FormatError(f"{path} has no item {key!r}; it has {len(items)} items")
    raise FormatError(f"{path} is neither mapping nor list, so it has no {key!r}")


def _some(names: Sequence[str]) -> str:
    """As many as a line holds."""
    more = len(names) - _MOST_NAMES
    return (", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")) or "none"


_MAPPINGS_ONLY = _MappingsOnlyFormatter()
