"""Whether a run is meant by an expression: decided here alone, so that it is the same whatever keeps the runs.

Numbers compare with numbers by their value, texts with texts by code points, true and false with each other, null with
null. A value that does not compare with what it is asked for does not match, and neither does one that is missing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from job_orchestra.domain.json import JsonObject, JsonValue
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
from job_orchestra.domain.queries.paths import Missing, Path, Source, look_up

_COMPARISONS: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQUAL: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
    Comparison.LESS: operator.lt,
    Comparison.LESS_EQUAL: operator.le,
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_EQUAL: operator.ge,
}


class Values(Protocol):
    def at(self, path: Path) -> JsonValue | Missing: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a run."""

    parameters: JsonObject
    results: JsonObject

    def at(self, path: Path) -> JsonValue | Missing:
        return look_up(self.parameters if path.source is Source.PARAMETERS else self.results, path.steps)


def matches(expression: Expression, asked: Values) -> bool:
    """Never fails, whatever there is."""
    match expression:
        case And():
            return all(matches(part, asked) for part in expression.parts)
        case Or():
            return any(matches(part, asked) for part in expression.parts)
        case Not():
            return not matches(expression.inner, asked)
        case Compared():
            value = asked.at(expression.path)
            is_comparable = _kind(value) is _kind(expression.value)
            return is_comparable and _COMPARISONS[expression.comparison](value, expression.value)
        case OneOf():
            return _is_among(asked.at(expression.path), expression.values)
        case Exists():
            return not isinstance(asked.at(expression.path), Missing)
        case Contains():
            text = asked.at(expression.path)
            return isinstance(text, str) and expression.text in text
        case StartsWith():
            text = asked.at(expression.path)
            return isinstance(text, str) and text.startswith(expression.text)


def conditions_of(expression: Expression) -> Iterator[Condition]:
    """All that are in it, wherever."""
    match expression:
        case And() | Or():
            for part in expression.parts:
                yield from conditions_of(part)
        case Not():
            yield from conditions_of(expression.inner)
        case _:
            yield expression


def _is_among(value: JsonValue | Missing, wanted: tuple[Literal, ...]) -> bool:
    kind = _kind(value)
    return any(kind is _kind(one) and value == one for one in wanted)


def _kind(value: JsonValue | Missing) -> type:
    """What compares with each other has the same kind; what compares with nothing has one that no literal has."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float
    return type(value)
