"""Reads untyped data (configuration, stored JSON, what clients send) and collects every mistake with its place.

Each reading method returns a value of its type even where the data is wrong, so that the reader of a larger structure
goes on and finds the next mistake; `Mistakes.raise_if_any` then refuses the whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar, cast

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.identifiers import NAME, NAME_RULE
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.places import Origin, Place, WrittenTable
from job_orchestra.domain.similarity import most_similar
from job_orchestra.domain.texts import flaw_of_text

Result = TypeVar("Result")
Choice = TypeVar("Choice", bound=StrEnum)

MOST_SECONDS = 10 * 366 * 86_400
_MOST_DEPTH = 64
_MOST_MISTAKES = 500
_INTEGERS = range(-(1 << 63), 1 << 63)
"""What MessagePack and every database can hold."""
_MOST_NUMBER = 1e15
_SHOWN = 60


class Mistakes:
    """All that is wrong with one input."""

    def __init__(self) -> None:
        self._found: list[Mistake] = []
        self._untold = 0
        self._origins: dict[str, Origin] = {}

    @property
    def is_full(self) -> bool:
        """More are counted, and not told one by one."""
        return len(self._found) >= _MOST_MISTAKES

    @property
    def has_any(self) -> bool:
        return bool(self._found)

    def add(self, place: Place, message: str) -> None:
        if self.is_full:
            self._untold += 1
            return
        self._found.append(Mistake(str(place), message, place.origin or self._remembered(place)))

    def remember(self, place: Place) -> None:
        """For mistakes of what is inside of it, found later by who knows its name only."""
        if place.origin is not None:
            self._origins.setdefault(str(place), place.origin)

    def _remembered(self, place: Place | None) -> Origin | None:
        while self._origins and place is not None:
            if origin := self._origins.get(str(place)):
                return origin
            place = place.parent
        return None

    def raise_if_any(self) -> None:
        if self._untold:
            raise Invalid([*self._found, Mistake("", f"{self._untold} more mistakes are not told")])
        if self._found:
            raise Invalid(self._found)


def read_all(data: object, read: Callable[[Reader], Result], place: Place | None = None) -> Result:
    """What `read` makes of the data; Invalid with all mistakes that it found."""
    mistakes = Mistakes()
    result = read(Reader(data, mistakes, place or Place()))
    mistakes.raise_if_any()
    return result


class Reader:
    """A value of unknown type at its place."""

    __slots__ = ("mistakes", "place", "value")

    def __init__(self, value: object, mistakes: Mistakes, place: Place) -> None:
        self.value = value
        self.mistakes = mistakes
        self.place = place.written_at(value.origin) if isinstance(value, WrittenTable) else place

    def wrong(self, message: str) -> None:
        self.mistakes.add(self.place, message)

    def at(self, place: Place) -> Reader:
        """The same value under another name for its place."""
        reader = Reader(self.value, self.mistakes, place)
        self.mistakes.remember(reader.place)
        return reader

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.expected("text")
        elif flaw := flaw_of_text(self.value):
            self.wrong(f"{shown(self.value)} {flaw}")
        else:
            return self.value
        return ""

    def name(self) -> str:
        """An identifier; empty if it is none."""
        text = self.text()
        if text and not NAME.fullmatch(text):
            self.wrong(f"{shown(text)} is no identifier: {NAME_RULE}")
            return ""
        if not text and self.value == "":
            self.wrong(f"is empty; an identifier has {NAME_RULE}")
        return text

    def integer(self, minimum: int, maximum: int) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.expected(f"an integer from {minimum} to {maximum}")
        elif not minimum <= self.value <= maximum:
            self.wrong(f"{shown(self.value)} is not from {minimum} to {maximum}")
        else:
            return self.value
        return minimum

    def number(self, minimum: float = 0.0) -> float:
        """A finite number, at least `minimum`."""
        if not isinstance(self.value, (int, float)) or isinstance(self.value, bool):
            self.expected(f"a number of at least {minimum:g}")
        elif not minimum <= self.value <= _MOST_NUMBER:
            self.wrong(f"{shown(self.value)} is no number from {minimum:g} to {_MOST_NUMBER:g}")
        else:
            return float(self.value)
        return minimum

    def seconds(self, minimum: float = 0.0) -> float:
        """A span of time that can be added to a date: at most ten years."""
        value = self.number(minimum)
        if value > MOST_SECONDS:
            self.wrong(f"{shown(self.value)} seconds are more than ten years")
            return minimum
        return value

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.expected("true or false")
            return False
        return self.value

    def choice(self, choices: type[Choice]) -> Choice:
        for one in choices:
            if self.value == one.value:
                return one
        known = [one.value for one in choices]
        self.expected(f"one of {', '.join(known)}", nearest(self.value, known))
        return next(iter(choices))

    def items(self, what: str = "a list") -> list[Reader]:
        value = self.value
        if isinstance(value, (list, tuple)):
            values = cast("Sequence[object]", value)
            return [Reader(item, self.mistakes, self.place.item(index)) for index, item in enumerate(values)]
        self.expected(what)
        return []

    def table(self, required: Sequence[str] = (), optional: Sequence[str] = (), what: str = "a table") -> Table:
        """The table's fields; a field that is missing or unknown is a mistake."""
        value = self.value
        if not isinstance(value, Mapping):
            self.expected(what)
            return Table({})
        fields: dict[str, Reader] = {}
        known = (*required, *optional)
        for key, item in cast("Mapping[object, object]", value).items():
            if isinstance(key, str) and key in known:
                fields[key] = Reader(item, self.mistakes, self.place.field(key))
            else:
                self._unknown(key, known)
        for name in required:
            if name not in fields:
                self.mistakes.add(self.place.field(name), "is missing")
        return Table(fields)

    def json(self) -> JsonValue:
        if not is_json(self.value, _MOST_DEPTH):
            self._find_what_is_no_json(_MOST_DEPTH)
            return None
        return _copied(self.value)

    def json_object(self) -> JsonObject:
        if not isinstance(self.value, Mapping):
            self.expected("a table")
            return {}
        value = self.json()
        return value if isinstance(value, dict) else {}

    def expected(self, what: str, hint: str = "") -> None:
        self.wrong(f"expected {what}, got {shown(self.value)}{hint}")

    def _unknown(self, key: object, known: Sequence[str]) -> None:
        place = self.place.field(key if isinstance(key, str) else repr(key))
        hint = "" if self.mistakes.is_full else nearest(key, known) or "; known are " + ", ".join(known)
        self.mistakes.add(place, f"is unknown{hint}")

    def _find_what_is_no_json(self, depth: int) -> None:
        value = self.value
        if depth == 0:
            self.wrong(f"is nested more than {_MOST_DEPTH} deep")
        elif isinstance(value, Mapping):
            for key, item in cast("Mapping[object, object]", value).items():
                if not _is_plain_text(key):
                    self.wrong(f"the key {shown(key)} is no text, or not one that can be stored")
                else:
                    Reader(item, self.mistakes, self.place.field(cast("str", key)))._find_what_is_no_json(depth - 1)
        elif isinstance(value, (list, tuple)):
            for item in self.items():
                item._find_what_is_no_json(depth - 1)
        elif isinstance(value, str):
            self.text()
        elif isinstance(value, int) and value not in _INTEGERS:
            self.wrong(f"is {shown(value)}")
        elif not is_json(value, depth):
            self.expected("text, a finite number, true, false, null, a list or a table")


class Table:
    """The known fields that a table has."""

    __slots__ = ("_fields",)

    def __init__(self, fields: dict[str, Reader]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def field(self, name: str) -> Reader | None:
        return self._fields.get(name)

    def read(self, name: str, read: Callable[[Reader], Result], default: Result) -> Result:
        """What `read` makes of the field, or the default where there is none."""
        field = self._fields.get(name)
        return default if field is None else read(field)

    def items(self, name: str, what: str = "a list") -> list[Reader]:
        field = self._fields.get(name)
        return [] if field is None else field.items(what)


def check_duplicates(named: Iterable[tuple[str, Reader]], what: str) -> None:
    """A mistake for each name that came before; empty names are those that are wrong already."""
    seen: set[str] = set()
    for name, reader in named:
        if name and name in seen:
            reader.wrong(f"there is more than one {what} {name!r}")
        seen.add(name)


def is_json(value: object, depth: int = _MOST_DEPTH) -> bool:
    """Whether it is JSON that every database and the protocol can hold (tuples count as lists)."""
    if isinstance(value, str):
        return _is_plain_text(value)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return value in _INTEGERS
    if isinstance(value, float):
        return math.isfinite(value)
    if depth == 0:
        return False
    if isinstance(value, Mapping):
        table = cast("Mapping[object, object]", value)
        return all(_is_plain_text(key) and is_json(item, depth - 1) for key, item in table.items())
    if isinstance(value, (list, tuple)):
        return all(is_json(item, depth - 1) for item in cast("Sequence[object]", value))
    return False


def nearest(name: object, known: Sequence[str]) -> str:
    """`; did you mean x?` where one of the known names is close."""
    found = most_similar(name, known) if isinstance(name, str) else None
    return f"; did you mean {found}?" if found else ""


def shown(value: object) -> str:
    """The value for a message, not longer than a line."""
    if isinstance(value, int) and value not in _INTEGERS:
        return "an integer of more than 64 bits"
    text = repr(value[: _SHOWN + 1]) if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _is_plain_text(value: object) -> bool:
    return isinstance(value, str) and not flaw_of_text(value)


def _copied(value: object) -> JsonValue:
    # A copy, so that what was read stays as it was when its source changes; tuples become lists.
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in cast("Mapping[str, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_copied(item) for item in cast("Sequence[object]", value)]
    return cast("JsonValue", value)
