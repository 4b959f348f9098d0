"""The runs that may match an expression, in the order of a list: along an index of results, or all of them.

What is found by an index is only a candidate: its rows may be stale, and different values may share a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from job_orchestra.domain.queries.expressions import Expression
from job_orchestra.domain.queries.value_keys import Hint, KeyRange, hints_of
from job_orchestra.repositories.conditions import among, equal, holds
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.result_keys import KeyState
from job_orchestra.repositories.run_filters import RunFilter, conditions_of
from job_orchestra.repositories.run_paths import RunPath, count_on, rows_on
from job_orchestra.storage.port import Condition, Find, Operator, Order, Row, Storage
from job_orchestra.storage.schema import RESULT_KEYS, RUN_VALUES, RUNS

_MOST_INDEX_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of all runs, in the order of the list."""

    rows: list[Row]
    """Those in it that may match."""
    looked_at: int
    end: str | None
    """The run up to which it goes; None: there are no more."""


class Candidates(Protocol):
    async def following(self, after: str | None, size: int) -> Stretch:
        """With at most `size` rows, from behind the run `after`."""
        ...


async def candidates_for(
    storage: Storage, runs: RunFilter, path: RunPath, order: Order, expression: Expression | None, few: int
) -> Candidates:
    """`runs` are the other filters, `path` goes along an index of them, `order` is by identifiers.

    If these leave `few` runs, or the index names so few, there is no need for anything better than to take them all.
    """
    hint = None if expression is None else await _usable_hint(storage, expression)
    if hint is None or (not path.is_everything and await count_on(storage, path, few) < few):
        return AllRuns(storage, path, order)
    query = Find(RUNS.name, conditions_of(runs), (order,))
    key = hint.path.key
    if hint.keys:
        return IndexedRuns(storage, query, ByValues(storage, query, key, hint.keys))
    by_value = (Order("value"), Order("run"))
    within = (equal("path", key), *_within(hint.range))
    named = await storage.find(Find(RUN_VALUES.name, within, by_value, limit=few + 1))
    if len(named) <= few:
        return IndexedRuns(storage, query, These(query, {text(row, "run") for row in named}))
    return IndexedRuns(storage, query, ByRange(storage, query, key, hint.range))


async def _usable_hint(storage: Storage, expression: Expression) -> Hint | None:
    """The sharpest one whose index is complete; it stays usable for longer than a request takes."""
    hints = hints_of(expression)
    if not hints:
        return None
    where = (among("path", {hint.path.key for hint in hints}), equal("state", KeyState.COMPLETE.value))
    complete = {text(row, "path") for row in await storage.find(Find(RESULT_KEYS.name, where, (Order("path"),)))}
    return next((hint for hint in hints if hint.path.key in complete), None)


class AllRuns:
    """Every run on a path."""

    def __init__(self, storage: Storage, path: RunPath, order: Order) -> None:
        self._storage = storage
        self._path = path
        self._order = order

    async def following(self, after: str | None, size: int) -> Stretch:
        rows = await rows_on(self._storage, self._path, self._order, after, size)
        return Stretch(rows, len(rows), text(rows[-1], "identifier") if len(rows) == size else None)


@dataclass(frozen=True, slots=True)
class Found:
    """Of an index: runs in the order of the list."""

    runs: list[str]
    looked_at: int
    end: str | None


class Index(Protocol):
    async def following(self, after: str | None, size: int) -> Found:
        """At most `size` runs from behind `after`."""
        ...


class IndexedRuns:
    """Those that an index names and the other filters let through."""

    def __init__(self, storage: Storage, query: Find, index: Index) -> None:
        self._storage = storage
        self._query = query
        self._index = index

    async def following(self, after: str | None, size: int) -> Stretch:
        found = await self._index.following(after, size)
        if not found.runs:
            return Stretch([], found.looked_at, found.end)
        # By their keys and nothing else: with the filters or an order, PostgreSQL may prefer to walk through history.
        named = Find(RUNS.name, (among("identifier", found.runs),), limit=len(found.runs))
        rows = {text(row, "identifier"): row for row in await self._storage.find(named)}
        wanted = [rows[run] for run in found.runs if run in rows and self._is_let_through(rows[run])]
        return Stretch(wanted, found.looked_at, found.end)

    def _is_let_through(self, row: Row) -> bool:
        return all(holds(condition, row) for condition in self._query.where)


class These:
    """So few that they are all known."""

    def __init__(self, query: Find, runs: Iterable[str]) -> None:
        self._is_descending = query.order[0].descending
        self._runs = sorted(runs, reverse=self._is_descending)

    async def following(self, after: str | None, size: int) -> Found:
        behind = [run for run in self._runs if after is None or (run < after if self._is_descending else run > after)]
        some = behind[:size]
        return Found(some, len(some), some[-1] if len(behind) > size else None)


class ByValues:
    """Runs with one of some keys of values: the rows of each key are in the order of the list already."""

    def __init__(self, storage: Storage, query: Find, path: str, keys: Sequence[str]) -> None:
        self._storage = storage
        self._keys = keys
        self._order = Order("run", query.order[0].descending)
        self._where = (equal("path", path), *_of_runs(query))

    async def following(self, after: str | None, size: int) -> Found:
        where = (*self._where, *_behind(after, self._order))
        finds = [Find(RUN_VALUES.name, (*where, equal("value", key)), (self._order,), limit=size)
                 for key in self._keys]  # fmt: skip
        pages = [[text(row, "run") for row in rows] for rows in await self._storage.find_all(finds)]
        is_descending = self._order.descending
        runs = sorted({run for page in pages for run in page}, reverse=is_descending)
        # Behind the end of a full page there may be more of that key, and so there is nothing that can be told yet.
        ends = [page[-1] for page in pages if len(page) == size]
        if not ends:
            return _first(runs, size)
        end = max(ends) if is_descending else min(ends)
        known = [run for run in runs if (run >= end if is_descending else run <= end)]
        return _first(known, size, end)


class ByRange:
    """Runs with a key of a value within a range: all rows of the path are walked through, far smaller than runs."""

    def __init__(self, storage: Storage, query: Find, path: str, keys: KeyRange) -> None:
        self._storage = storage
        self._keys = keys
        self._order = Order("run", query.order[0].descending)
        self._where = (equal("path", path), *_of_runs(query))
        self._limit = 0

    async def following(self, after: str | None, size: int) -> Found:
        limit = max(self._limit, size)
        where = (*self._where, *_behind(after, self._order))
        order = (self._order, Order("value", self._order.descending))
        rows = await self._storage.find(Find(RUN_VALUES.name, where, order, limit=limit))
        last = text(rows[-1], "run") if len(rows) == limit else None
        # The last one of a full page may have another row behind it, so it is a candidate in any case.
        named = (text(row, "run") for row in rows if row["run"] == last or text(row, "value") in self._keys)
        runs = list(dict.fromkeys(named))
        # The fewer of them are meant, the more of them are read at once.
        self._limit = min(2 * limit, _MOST_INDEX_ROWS) if 2 * len(runs) < size else size
        if len(runs) > size:
            return _first(runs, size)
        return Found(runs, len(rows), last)


def _first(runs: list[str], size: int, end: str | None = None) -> Found:
    if len(runs) > size:
        runs = runs[:size]
        end = runs[-1]
    return Found(runs, len(runs), end)


def _of_runs(query: Find) -> list[Condition]:
    """What the other filters say of the run itself: when it was created."""
    return [replace(each, column="run") for each in query.where if each.column == "identifier"]


def _behind(after: str | None, order: Order) -> list[Condition]:
    return [] if after is None else [Condition("run", Operator.LESS if order.descending else Operator.GREATER, after)]


def _within(keys: KeyRange) -> tuple[Condition, Condition]:
    low = Operator.GREATER_EQUAL if keys.has_low else Operator.GREATER
    high = Operator.LESS_EQUAL if keys.has_high else Operator.LESS
    return (Condition("value", low, keys.low), Condition("value", high, keys.high))
