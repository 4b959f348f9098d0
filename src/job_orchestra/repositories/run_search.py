"""Lists of runs at a bounded cost: along indexes, or looked at one by one for as long as a request may take.

They are looked at where an expression is asked for, or filters that no index has together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from job_orchestra.domain.identifiers import run_identifier_milliseconds
from job_orchestra.domain.moments import from_microseconds
from job_orchestra.domain.queries.evaluation import Asked, matches
from job_orchestra.domain.queries.expressions import Expression
from job_orchestra.domain.runs import Run
from job_orchestra.repositories.candidates import Candidates, candidates_for
from job_orchestra.repositories.conditions import holds
from job_orchestra.repositories.paging import LIMIT, encode_cursor
from job_orchestra.repositories.rows.columns import json_object, text
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_paths import count_on, list_on, path_for, place_of
from job_orchestra.storage.port import Condition, Order, Row, Storage

_FIRST_STRETCH = 50
_LONGEST_STRETCH = 500
_QUICK = 0.05
_SLOW = 0.2
"""Seconds for a stretch: how many runs fit into one depends on how large their results are."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one request may cost, whatever the history; what is left is for the next one."""

    runs: int = 5000
    seconds: float = 1.0
    few: int = 2000
    """Runs that may be looked at, or sorted, to spare the search for a better way."""


@dataclass(frozen=True, slots=True)
class Searched:
    items: list[Run]
    """May be fewer than were asked for, though there are more."""
    next: str | None
    """Cursor to go on from; None: there are no more."""
    looked_through: int | None = None
    """Runs, or rows of the index in their place; None where an index serves all that is asked for."""
    looked_until: datetime | None = None
    """When the last run that was looked at was created; None if there was none."""


class RunSearch:
    def __init__(self, storage: Storage, budget: Budget = Budget()) -> None:
        self._storage = storage
        self.budget = budget

    async def search(
        self,
        expression: Expression | None,
        runs: RunFilter,
        limit: int = LIMIT,
        cursor: str | None = None,
        newest_first: bool = True,
    ) -> Searched:
        """By time of creation; Invalid at `cursor` if no list of runs made it."""
        path = await path_for(self._storage, runs)
        if expression is None and not path.rest:
            listed = await list_on(self._storage, path, limit, cursor, newest_first)
            return Searched(listed.items, listed.next)
        after = place_of(cursor)
        order = Order("identifier", newest_first)
        candidates = await candidates_for(self._storage, runs, path.along_indexes, order, expression, self.budget.few)
        walk = _Walk(_Meant(expression, path.rest), limit, self.budget, after)
        while not walk.is_over:
            await walk.go_on(candidates)
        following = None if walk.end is None else encode_cursor([walk.end])
        until = None if walk.last is None else from_microseconds(run_identifier_milliseconds(walk.last) * 1000)
        return Searched(walk.found, following, walk.looked_through, until)

    async def count(self, runs: RunFilter, at_most: int) -> int | None:
        """Counted no further than that; None where runs would have to be looked at one by one."""
        path = await path_for(self._storage, runs)
        return None if path.rest else await count_on(self._storage, path, at_most)


@dataclass(frozen=True, slots=True)
class _Meant:
    """What every run of the answer has to be like, however it was found."""

    expression: Expression | None
    rest: Sequence[Condition]

    def places(self, rows: Sequence[Row]) -> list[int]:
        """Of the rows that match. In a thread: results may be large, and nobody else shall wait for them."""
        return [place for place, row in enumerate(rows) if self._is_meant(row)]

    def _is_meant(self, row: Row) -> bool:
        if not all(holds(condition, row) for condition in self.rest):
            return False
        return self.expression is None or matches(self.expression, _asked(row))


@dataclass(slots=True)
class _Walk:
    meant: _Meant
    limit: int
    budget: Budget
    end: str | None
    """The run up to which it has come; once it is over, None if there are no more."""
    found: list[Run] = field(default_factory=list[Run])
    looked_through: int = 0
    last: str | None = None
    is_over: bool = False
    _loaded: int = 0
    _size: int = _FIRST_STRETCH
    _deadline: float | None = None

    async def go_on(self, candidates: Candidates) -> None:
        now = asyncio.get_running_loop().time
        started_at = now()
        self._deadline = self._deadline or started_at + self.budget.seconds
        stretch = await candidates.following(self.end, min(self._size, self.budget.runs - self._loaded))
        meant = await asyncio.to_thread(self.meant.places, stretch.rows)
        self._take(stretch.rows, meant, stretch.looked_at, stretch.end)
        self._pace(now() - started_at)
        if self.end is None or self._loaded >= self.budget.runs or now() >= self._deadline:
            self.is_over = True

    def _take(self, rows: list[Row], meant: Sequence[int], looked_at: int, end: str | None) -> None:
        wanted = meant[: self.limit - len(self.found)]
        self.found += [run_from_row(rows[place]) for place in wanted]
        if len(self.found) == self.limit and wanted and (wanted[-1] < len(rows) - 1 or end is not None):
            # The page is full: the next one begins behind its last run.
            looked_at, end = wanted[-1] + 1, text(rows[wanted[-1]], "identifier")
            self.is_over = True
        self.looked_through += looked_at
        self._loaded += len(rows)
        self.last = end or (text(rows[-1], "identifier") if rows else self.last)
        self.end = end

    def _pace(self, seconds: float) -> None:
        if seconds < _QUICK:
            self._size = min(2 * self._size, _LONGEST_STRETCH)
        elif seconds > _SLOW:
            self._size = max(self._size // 2, 1)


def _asked(row: Row) -> Asked:
    parameters = json_object(row, "request").get("parameters")
    return Asked(parameters if isinstance(parameters, dict) else {}, json_object(row, "results"))
