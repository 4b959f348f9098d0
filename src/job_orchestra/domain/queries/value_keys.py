"""Short texts in place of values, by which an index finds what may match; the evaluator then decides.

The key of a value begins with a letter for its type, and keys of one type are in the order of their values, but that
values which differ far behind may have the same key. So a condition means a range of keys which holds those of all
values that match, and of a few more.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.queries.expressions import (
    And,
    Compared,
    Comparison,
    Condition,
    Contains,
    Exists,
    Expression,
    Literal,
    Not,
    OneOf,
    Or,
    StartsWith,
)
from job_orchestra.domain.queries.paths import Path, Source
from job_orchestra.domain.texts import flaw_of_text

LONGEST_KEY = 200
_MOST_KEYS = 20
"""Of one hint; each is looked for by itself."""
_LONGEST_TEXT = LONGEST_KEY - 1
_LAST_CHARACTER = "\U0010ffff"
_LARGEST = 1.7976931348623157e308
_SIGN_BIT = 1 << 63
_FIRST_INEXACT = 1 << 53
"""From here on there are integers that no float holds."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    low: str
    high: str
    has_low: bool = True
    has_high: bool = True
    """Whether the end belongs to it."""

    def __contains__(self, key: str) -> bool:
        is_above = key >= self.low if self.has_low else key > self.low
        return is_above and (key <= self.high if self.has_high else key < self.high)


_ALL = KeyRange("", _LAST_CHARACTER)
_BOOLEANS = KeyRange("b0", "b1")
_NUMBERS = KeyRange("n", "n~")
_TEXTS = KeyRange("t", "t" + _LAST_CHARACTER * _LONGEST_TEXT)


@dataclass(frozen=True, slots=True)
class Hint:
    """A run that matches has, at this path, a value with one of these keys."""

    path: Path
    keys: tuple[str, ...] = ()
    """If there are some, these alone."""
    range: KeyRange = _ALL


def key_of(value: JsonValue) -> str:
    """At most LONGEST_KEY characters; equal values have equal keys."""
    match value:
        case None:
            return "z"
        case bool():
            return f"b{value:d}"
        case int() | float():
            return f"n{_sortable(value):016x}"
        case str():
            # One that no database keeps was never let in; it can be found as something that is there.
            return "o" if flaw_of_text(value) else "t" + value[:_LONGEST_TEXT]
        case _:
            return "o"


def hints_of(expression: Expression) -> list[Hint]:
    """Of results, each sufficient by itself, the sharpest first; none if the expression is no conjunction of such."""
    parts = expression.parts if isinstance(expression, And) else (expression,)
    hints = [_hint(part) for part in parts if not isinstance(part, Not | And | Or) and _is_of_results(part)]
    return sorted(hints, key=lambda hint: (not hint.keys, len(hint.keys), hint.range == _ALL))


def _is_of_results(condition: Condition) -> bool:
    return condition.path.source is Source.RESULTS


def _hint(condition: Condition) -> Hint:
    match condition:
        case Compared(path, Comparison.EQUAL, value):
            return Hint(path, (key_of(value),))
        case OneOf(path, values):
            keys = tuple(sorted({key_of(value) for value in values}))
            return Hint(path, keys) if len(keys) <= _MOST_KEYS else Hint(path, range=KeyRange(keys[0], keys[-1]))
        case Compared(path, comparison, value):
            return Hint(path, range=_range(comparison, value))
        case StartsWith(path, text):
            beginning = key_of(text)
            return Hint(path, range=KeyRange(beginning, beginning.ljust(LONGEST_KEY, _LAST_CHARACTER)))
        case Contains(path):
            return Hint(path, range=_TEXTS)
        case Exists(path):
            return Hint(path)


def _range(comparison: Comparison, value: Literal) -> KeyRange:
    whole = _TEXTS if isinstance(value, str) else _BOOLEANS if isinstance(value, bool) else _NUMBERS
    match comparison:
        case Comparison.LESS | Comparison.LESS_EQUAL:
            has_end = comparison is Comparison.LESS_EQUAL or not _has_its_key_alone(value)
            return KeyRange(whole.low, key_of(value), has_high=has_end)
        case Comparison.GREATER | Comparison.GREATER_EQUAL:
            has_end = comparison is Comparison.GREATER_EQUAL or not _has_its_key_alone(value)
            return KeyRange(key_of(value), whole.high, has_low=has_end)
        case _:
            return whole


def _has_its_key_alone(value: Literal) -> bool:
    """So that what is greater or less has another one: most runs may well have 0 where those with more are sought."""
    if isinstance(value, str):
        return len(value) < _LONGEST_TEXT
    return isinstance(value, int | float) and abs(value) < _FIRST_INEXACT


def _sortable(number: float) -> int:
    """64 bits in the order of the numbers; integers that no float holds exactly share the key of one beside them."""
    nearest = float(min(max(number, -_LARGEST), _LARGEST)) + 0.0  # no negative zero
    bits: int = struct.unpack(">Q", struct.pack(">d", nearest))[0]
    return bits ^ (2 * _SIGN_BIT - 1) if bits & _SIGN_BIT else bits | _SIGN_BIT
