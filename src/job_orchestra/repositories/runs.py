"""Runs as the service sees them: triggered, read, and asked to stop."""

from __future__ import annotations

import builtins
from collections.abc import Iterable

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Conflict, NotFound
from job_orchestra.domain.explanation import QueueAhead
from job_orchestra.domain.identifiers import RUN_IDENTIFIER
from job_orchestra.domain.runs import Run, RunRequest, Source, queue_key
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.conditions import ATTEMPTS, Contended, among, equal, find_everything, find_one
from job_orchestra.repositories.insertion import Triggered, insert_run
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.events import StoredEvent, event_from_row
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_paths import count_on, everything_on, list_on, path_of, unfinished_of
from job_orchestra.storage.port import Batch, Condition, Count, Find, Operator, Order, Row, Storage, Update
from job_orchestra.storage.schema import EVENTS, RUNS

_ALL = RunFilter()
_PENDING = equal("status", RunStatus.PENDING.value)
_MOST_AHEAD = 1000
_NAMED_AHEAD = 3
_NO_LONGER_KEPT = "Runs are removed when their retention is over, unless they are pinned."


class Runs:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def trigger(
        self, request: RunRequest, source: Source, idempotency_key: str | None = None, retry_of: str | None = None
    ) -> Triggered:
        """Durable when it returns (P1). A key that is taken (by project and job) returns the earlier run."""
        triggered = await insert_run(self._storage, self._clock, request, source, idempotency_key, retry_of)
        assert triggered is not None  # it is provided with nothing
        return triggered

    async def get(self, project: str, run: str) -> Run:
        """NotFound if the project has no such run."""
        row = await find_one(self._storage, Find(RUNS.name, (equal("identifier", run), equal("project", project))))
        if row is None:
            hint = _NO_LONGER_KEPT if RUN_IDENTIFIER.fullmatch(run) else ""
            raise NotFound("run", f"{project}/{run}", hint)
        return run_from_row(row)

    async def kept(self, runs: Iterable[str]) -> set[str]:
        """Those of them that there are."""
        wanted = sorted(set(runs))
        if not wanted:
            return set()
        query = Find(RUNS.name, (among("identifier", wanted),), (Order("identifier"),), limit=len(wanted))
        return {text(row, "identifier") for row in await self._storage.find(query)}

    async def list(
        self,
        filter: RunFilter = _ALL,  # noqa: A002 - the word for it
        limit: int = LIMIT,
        cursor: str | None = None,
        newest_first: bool = True,
    ) -> Listed[Run]:
        """By time of creation. Where no index serves the whole filter, `RunSearch` costs less."""
        return await list_on(self._storage, path_of(filter), limit, cursor, newest_first)

    async def request_cancel(self, project: str, run: str, by: str) -> Run:
        """The wish that a pending run never starts; Conflict if it has started or ended."""
        return await self._wish(project, run, by, cancel_only=True)

    async def request_abort(self, project: str, run: str, by: str) -> Run:
        """The wish that the run stops, started or not; Conflict if it has ended."""
        return await self._wish(project, run, by, cancel_only=False)

    async def _wish(self, project: str, run: str, by: str, cancel_only: bool) -> Run:
        for _ in range(ATTEMPTS):
            found = await self.get(project, run)
            changes = _wish_of(found, by, cancel_only)
            where = (equal("identifier", run), equal("status", found.status.value))
            outcome = await self._storage.write(Batch((Update(RUNS.name, where, changes),)))
            if outcome.is_applied:
                return await self.get(project, run)
            # It started or ended in the meantime: what is to be done depends on which.
        raise Contended(f"Run {run!r}")

    async def set_pinned(self, project: str, run: str, is_pinned: bool) -> Run:
        """Whether the run is kept for ever; NotFound if the project has no such run, or has it no longer."""
        where = (equal("identifier", run), equal("project", project))
        await self._storage.write(Batch((Update(RUNS.name, where, {"is_pinned": is_pinned}, optional=True),)))
        return await self.get(project, run)

    async def events(self, run: str, attempt: int | None = None) -> builtins.list[StoredEvent]:
        """Of one attempt or all, in their order."""
        where = (equal("run", run),) if attempt is None else (equal("run", run), equal("attempt", attempt))
        rows = await find_everything(self._storage, Find(EVENTS.name, where, _EVENT_ORDER))
        return [event_from_row(row) for row in rows]

    async def list_events(self, run: str, limit: int = LIMIT, cursor: str | None = None) -> Listed[StoredEvent]:
        """A page of the events of all attempts, in their order."""
        query = Find(EVENTS.name, (equal("run", run),), _EVENT_ORDER, limit=limit)
        return await list_page(self._storage, query, cursor, event_from_row)

    async def count_active(self, worker: str) -> int:
        """Runs that are assigned to the worker and have not ended."""
        return await count_on(self._storage, unfinished_of(worker))

    async def ahead_of(self, run: Run) -> QueueAhead:
        """Those of its group that come before it; counted through no further than tells people something."""
        group = (_PENDING, equal("queue_key", queue_key(run.request)), equal("worker", None))
        more_urgent = (*group, Condition("urgency", Operator.LESS, -run.request.priority))
        older = (
            *group,
            equal("urgency", -run.request.priority),
            Condition("identifier", Operator.LESS, run.identifier),
        )
        count = 0
        for where in (more_urgent, older):
            if count <= _MOST_AHEAD:
                count += await self._storage.count(Count(RUNS.name, where, _MOST_AHEAD + 1 - count))
        order = (Order("urgency"), Order("identifier"))
        pages = await self._storage.find_all(
            [Find(RUNS.name, where, order, limit=_NAMED_AHEAD) for where in (more_urgent, older)]
        )
        first = [text(row, "identifier") for page in pages for row in page][:_NAMED_AHEAD]
        return QueueAhead(min(count, _MOST_AHEAD), count <= _MOST_AHEAD, tuple(first))

    async def active_on(self, worker: str) -> builtins.list[Run]:
        """The runs that are assigned to the worker and have not ended."""
        return [run_from_row(row) for row in await everything_on(self._storage, unfinished_of(worker))]


_EVENT_ORDER = (Order("run"), Order("attempt"), Order("sequence"))


def _wish_of(run: Run, by: str, cancel_only: bool) -> Row:
    if run.status is RunStatus.PENDING:
        # Both, so that a run whose start is already on its way here is stopped all the same.
        return {"should_cancel": True, "should_abort": True, "wished_by": by}
    if run.status.is_terminal:
        raise Conflict(f"Run {run.identifier!r} has ended already: it is {run.status}.")
    if cancel_only:
        raise Conflict(f"Run {run.identifier!r} is {run.status} and cannot be cancelled any more; abort it instead.")
    return {"should_abort": True, "wished_by": by}
