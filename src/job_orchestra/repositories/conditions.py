"""Conditions in words, and the walk over everything that matches."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import Condition, Find, Operator, Row, Storage, Value

_AT_ONCE = 1000


def equal(column: str, value: Value) -> Condition:
    return Condition(column, Operator.EQUAL, value)


def among(column: str, values: Iterable[str]) -> Condition:
    return Condition(column, Operator.IN, list(values))


_COMPARISONS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.LESS_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_EQUAL: operator.ge,
    Operator.IN: lambda value, wanted: value in wanted,
}
_WITH_NONE = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN)


def holds(condition: Condition, row: Row) -> bool:
    """What a database would say, of a row that is here already."""
    value = row[condition.column]
    is_comparable = value is not None or condition.operator in _WITH_NONE
    return is_comparable and _COMPARISONS[condition.operator](value, condition.value)


async def find_one(storage: Storage, query: Find) -> Row | None:
    rows = await storage.find(replace(query, limit=1))
    return rows[0] if rows else None


def has_facts(row: Row | None, facts: Row) -> bool:
    """Whether the row is what a change was to make of it; to be asked where the answer to the change may be lost.

    All facts count: a number that goes up with each change may have been taken by somebody else's.
    """
    return row is not None and all(row[column] == value for column, value in facts.items())


async def find_everything(storage: Storage, query: Find) -> list[Row]:
    """All rows page by page: for what is few (workers, projects) or wanted whole (one run's events)."""
    everything: list[Row] = []
    query = replace(query, limit=_AT_ONCE)
    while True:
        rows = await storage.find(query)
        everything += rows
        if len(rows) < _AT_ONCE:
            return everything
        query = replace(query, after=tuple(rows[-1][order.column] for order in query.order))


class Contended(Conflict):
    """Others changed the same record again and again while this tried to."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is being changed by others at the same time; try again.")


ATTEMPTS = 20
"""Of a compare-and-set that is repeated on what it finds, before it is Contended."""
