"""Finds the runs that their retention lets go, oldest first, at a cost that does not grow with what stays."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.identifiers import first_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.retention import EndedRun, Retention, Rule, created_before, goes
from job_orchestra.domain.statuses import ACTIVE
from job_orchestra.repositories.conditions import among, equal
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.ended_runs import ended_run_from_row
from job_orchestra.storage.port import Condition, Count, Find, Operator, Order, Storage
from job_orchestra.storage.schema import RUNS

AT_ONCE = 50
"""Runs of a page: each has a record, and results of any size."""


@dataclass(frozen=True, slots=True)
class _Page:
    gone: list[EndedRun]
    last: str | None
    """Where to go on; None where nothing more goes."""


class ExpiredRuns:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def of(self, project: str, job: str, retention: Retention) -> AsyncGenerator[list[EndedRun]]:
        """The runs of the job that go now, in lists of at most AT_ONCE; they may be removed while this goes on."""
        now = self._clock.now()
        for rule in retention.rules:
            walk = _Walk(self._storage, project, job, rule, now)
            last: str | None = ""
            while last is not None:
                page = await walk.page(last)
                if page.gone:
                    yield page.gone
                last = page.last


class _Walk:
    """Through the ended runs of a job that one rule is for, from the oldest on."""

    def __init__(self, storage: Storage, project: str, job: str, rule: Rule, now: datetime) -> None:
        self._storage = storage
        self._of_job = (equal("project", project), equal("job", job))
        self._rule = rule
        self._now = now
        boundary = created_before(rule, now)
        # The smallest identifier that is too young for the rule, to the millisecond.
        self._young = None if boundary is None else first_run_identifier(to_microseconds(boundary) // 1000 + 1)

    async def page(self, after: str) -> _Page:
        rule = self._rule
        is_counted = rule.count is not None and await self._has_newer(after, rule.count + 1)
        found = await self._find(after, only_old=not is_counted)
        many = await self._count_past(found) if is_counted else 0
        unfinished = await self._unfinished(run.source_run for run in found)
        gone = [run for place, run in enumerate(found) if goes(run, rule, place < many, unfinished, self._now)]
        if len(found) < AT_ONCE or (many < len(found) and self._is_young(found[-1])):
            return _Page(gone, None)
        return _Page(gone, found[-1].identifier)

    async def _find(self, after: str, only_old: bool) -> list[EndedRun]:
        """The next ones that are not pinned: a page of each status, along its index, merged."""
        where = [*self._of_job, equal("is_pinned", False), Condition("identifier", Operator.GREATER, after)]
        if only_old:
            if self._young is None:
                return []
            where.append(Condition("identifier", Operator.LESS, self._young))
        order = (Order("identifier"),)
        pages = await self._storage.find_all(
            [
                Find(RUNS.name, (*where, equal("status", status.value)), order, limit=AT_ONCE)
                for status in self._rule.statuses
            ]
        )
        runs = [ended_run_from_row(row) for rows in pages for row in rows]
        return sorted(runs, key=lambda run: run.identifier)[:AT_ONCE]

    async def _count_past(self, runs: Sequence[EndedRun]) -> int:
        """How many of these have as many newer ones as the rule counts: all up to a point."""
        assert self._rule.count is not None
        low, high = 0, len(runs)
        middle = high - 1  # usually it is all of them, or few
        while low < high:
            if await self._has_newer(runs[middle].identifier, self._rule.count):
                low = middle + 1
            else:
                high = middle
            middle = (low + high) // 2
        return low

    async def _has_newer(self, identifier: str, count: int) -> bool:
        """Pinned ones count like others. No further than needed, along the index."""
        statuses = among("status", [status.value for status in self._rule.statuses])
        newer = Condition("identifier", Operator.GREATER, identifier)
        return await self._storage.count(Count(RUNS.name, (*self._of_job, statuses, newer), at_most=count)) >= count

    async def _unfinished(self, sources: Iterable[str | None]) -> set[str]:
        wanted = sorted({source for source in sources if source is not None})
        if not wanted:
            return set()
        query = Find(RUNS.name, (among("identifier", wanted), among("status", ACTIVE)), (Order("identifier"),))
        return {text(row, "identifier") for row in await self._storage.find(query)}

    def _is_young(self, run: EndedRun) -> bool:
        return self._young is None or run.identifier >= self._young
