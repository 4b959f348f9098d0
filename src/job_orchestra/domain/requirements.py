"""What a job requires of a property of its worker: a value, one of some values, or a table of conditions.

A list that a worker has means all of its items; a condition is met if one of them meets it, and several bounds if one
of them is within all.
"""

from __future__ import annotations

import json
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


def _words(value: JsonValue) -> str:
    """As people would write it."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list) and value:
        return ", ".join(map(_words, value))
    return _exact_words(value)


def _exact_words(value: JsonValue) -> str:
    """As JSON, with which no two values look the same."""
    if isinstance(value, list) and value:
        return ", ".join(map(_exact_words, value))
    return json.dumps(value, ensure_ascii=False)


Words: TypeAlias = Callable[[JsonValue], str]


def unmet(name: str, wanted: JsonValue, properties: JsonObject) -> Iterator[str]:
    """A sentence for each condition that a worker with these properties does not meet."""
    has = _items(properties[name]) if name in properties else None
    conditions = conditions_of(wanted)
    are_met = True
    for operator, operand in conditions.items():
        if not _is_met(operator, operand, has):
            are_met = False
            yield _lack(name, operator, operand, has)
    bounds = {operator: operand for operator, operand in conditions.items() if operator in COMPARISONS}
    if are_met and has is not None and not any(_is_within(bounds, one) for one in has):
        yield f"needs {describe(name, bounds)}, has {_words(has)}, of which none is within"


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


def _is_within(bounds: Mapping[str, JsonValue], has: JsonValue) -> bool:
    return all(_compares(operator, has, operand) for operator, operand in bounds.items())


def _lack(name: str, operator: str, operand: JsonValue, has: list[JsonValue] | None) -> str:
    words = _words if has is None or _are_told_apart(operand, has) else _exact_words
    return f"needs {_condition(name, operator, operand, words)}, {_offered(name, operator, operand, has, words)}"


def _are_told_apart(operand: JsonValue, has: list[JsonValue]) -> bool:
    """Whether the plain words for what differs differ, too: the number 1 and the text 1 do not."""
    return not any(_words(one) == _words(other) and not is_same(one, other) for one in _items(operand) for other in has)


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


def _condition(name: str, operator: str, operand: JsonValue, words: Words = _words) -> str:
    match operator:
        case Operator.PRESENT:
            return name if operand is True else f"no {name}"
        case Operator.ONE_OF | Operator.NONE_OF:
            items = _items(operand)
            is_one = operator == Operator.ONE_OF
            if len(items) == 1:
                return f"{name} {'=' if is_one else '≠'} {words(items[0])}"
            return f"{name} {'in' if is_one else 'not in'} {words(items)}"
        case _ if operator in COMPARISONS:
            return f"{name} {COMPARISONS[operator].sign} {words(operand)}"
        case _:
            return f"{name} {operator} {words(operand)}, which this version does not know"


def _offered(name: str, operator: str, operand: JsonValue, has: list[JsonValue] | None, words: Words) -> str:
    if has is None:
        return f"has no {name}"
    what = f"has {words(has)}"
    if operator not in COMPARISONS:
        return what
    # A number and a version do not compare: 3.1 may be the number 3.10 or the version 3.1.
    wants_version = isinstance(operand, str)
    if any(comparable(one) is not None and isinstance(one, str) is wants_version for one in has):
        return what
    return f"{what}, which is no {'version (a text)' if wants_version else 'number'}"


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]
