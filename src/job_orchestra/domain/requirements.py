"""What a job requires of a property of its worker: a value, one of some values, or a table of conditions.

A list that a worker has means all of its items; a condition is met if one of them meets it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import TypeAlias

from job_orchestra.domain.json import JsonObject, JsonValue, is_same
from job_orchestra.domain.versions import VersionKey, version_key


class Operator(StrEnum):
    """Of conditions; where a table has several, all have to be met."""

    ONE_OF = "one_of"
    NONE_OF = "none_of"
    """Met by a worker without the property, too."""
    AT_LEAST = "at_least"
    MORE_THAN = "more_than"
    AT_MOST = "at_most"
    LESS_THAN = "less_than"
    PRESENT = "present"
    """True: with any value; false: the worker has no such property."""


Comparable: TypeAlias = float | VersionKey


@dataclass(frozen=True, slots=True)
class Comparison:
    sign: str
    holds: Callable[[Comparable, Comparable], bool]
    """Of what a worker has and what is wanted: two numbers, or two versions."""


COMPARISONS: Mapping[str, Comparison] = {
    Operator.AT_LEAST: Comparison("≥", ge),
    Operator.MORE_THAN: Comparison(">", gt),
    Operator.AT_MOST: Comparison("≤", le),
    Operator.LESS_THAN: Comparison("<", lt),
}


def unmet(name: str, wanted: JsonValue, properties: JsonObject) -> Iterator[str]:
    """A sentence for each condition that a worker with these properties does not meet."""
    has = _items(properties[name]) if name in properties else None
    for operator, operand in conditions_of(wanted).items():
        if not _is_met(operator, operand, has):
            yield f"needs {_condition(name, operator, operand)}, {_offered(name, operator, operand, has)}"


def is_met(name: str, wanted: JsonValue, properties: JsonObject) -> bool:
    return not any(unmet(name, wanted, properties))


def conditions_of(wanted: JsonValue) -> Mapping[str, JsonValue]:
    """The conditions by their operators, of which a record of another version may have unknown ones."""
    if isinstance(wanted, dict):
        return wanted
    return {Operator.ONE_OF: _items(wanted)}


def comparable(value: JsonValue) -> Comparable | None:
    """What compares as the value does; None if it is neither a number nor a version as a text."""
    if isinstance(value, str):
        return version_key(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def describe(name: str, wanted: JsonValue) -> str:
    """In words: `python ≥ 3.11 and < 4`."""
    words = [_condition(name, operator, operand) for operator, operand in conditions_of(wanted).items()]
    return " and ".join([*words[:1], *(word.removeprefix(f"{name} ") for word in words[1:])])


def _is_met(operator: str, operand: JsonValue, has: list[JsonValue] | None) -> bool:
    match operator:
        case Operator.PRESENT:
            return (has is not None) is (operand is True)
        case Operator.ONE_OF:
            return has is not None and _meet(has, operand)
        case Operator.NONE_OF:
            return has is None or not _meet(has, operand)
        case _:
            return has is not None and any(_compares(operator, one, operand) for one in has)


def _meet(has: list[JsonValue], operand: JsonValue) -> bool:
    return any(is_same(one, other) for one in _items(operand) for other in has)


def _compares(operator: str, has: JsonValue, wanted: JsonValue) -> bool:
    """False for what does not compare: numbers with versions, or with anything else, and by an unknown operator."""
    one, other = comparable(has), comparable(wanted)
    if (
        operator not in COMPARISONS
        or one is None
        or other is None
        or isinstance(one, tuple) != isinstance(other, tuple)
    ):
        return False
    return COMPARISONS[operator].holds(one, other)


def _condition(name: str, operator: str, operand: JsonValue) -> str:
    match operator:
        case Operator.PRESENT:
            return name if operand is True else f"no {name}"
        case Operator.ONE_OF | Operator.NONE_OF:
            items = _items(operand)
            is_one = operator == Operator.ONE_OF
            if len(items) == 1:
                return f"{name} {'=' if is_one else '≠'} {_words(items[0])}"
            return f"{name} {'in' if is_one else 'not in'} {_words(items)}"
        case _ if operator in COMPARISONS:
            return f"{name} {COMPARISONS[operator].sign} {_words(operand)}"
        case _:
            return f"{name} {operator} {_words(operand)}, which this version does not know"


def _offered(name: str, operator: str, operand: JsonValue, has: list[JsonValue] | None) -> str:
    if has is None:
        return f"has no {name}"
    words = f"has {_words(has)}"
    if operator not in COMPARISONS:
        return words
    # A number and a version do not compare: 3.1 may be the number 3.10 or the version 3.1.
    wants_version = isinstance(operand, str)
    if any(comparable(one) is not None and isinstance(one, str) is wants_version for one in has):
        return words
    return f"{words}, which is no {'version (a text)' if wants_version else 'number'}"


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def _words(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(value)
