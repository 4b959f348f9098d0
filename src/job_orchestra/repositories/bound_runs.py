"""Runs that are aborted with the run that triggered them: how they come to be, and how they are found.

A run that is to be aborted (`should_abort`) is a closed door: behind it comes no run that would be bound to it. So who
finds it closed, and asks all to stop that are there then, has asked all that will ever be.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from job_orchestra.domain.bound_runs import is_passed_on, runs_to_stop, wisher
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Conflict, NotFound
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import ACTIVE
from job_orchestra.repositories.conditions import among, equal
from job_orchestra.repositories.insertion import Triggered, insert_run
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.runs import readable_runs
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_paths import path_of, rows_on
from job_orchestra.repositories.runs import Runs
from job_orchestra.storage.port import Batch, Find, Order, Row, Storage, Update
from job_orchestra.storage.schema import RUNS

_PAGE = 500


@dataclass(frozen=True, slots=True)
class BoundPage:
    to_stop: list[Run]
    """Those that still have to be asked."""
    place: str | None
    """Behind which the next page begins; None if this was behind the last."""


class BoundRuns:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._runs = Runs(storage, clock)

    async def trigger(self, request: RunRequest, source: Source, idempotency_key: str | None = None) -> Triggered:
        """As `Runs.trigger`; Conflict if the run that is the source has ended, or is to be aborted."""
        is_open = (
            equal("identifier", source.identifier),
            among("status", ACTIVE),
            equal("should_abort", False),
        )
        provided = Update(RUNS.name, is_open, {"should_abort": False})
        triggered = await insert_run(self._storage, self._clock, request, source, idempotency_key, provided=[provided])
        if triggered is None:
            raise Conflict(
                f"Run {source.identifier!r} has ended or is to be aborted: it triggers nothing that is aborted with it."
            )
        # MongoDB: the door may have been closed between the look at it and the insert, and nobody have seen the run.
        rows = await self._storage.find(Find(RUNS.name, (equal("identifier", source.identifier),), limit=1))
        if any(is_passed_on(parent) for parent in readable_runs(rows)):
            return replace(triggered, run=await self._stop(triggered.run, source.identifier))
        return triggered

    async def _stop(self, run: Run, source: str) -> Run:
        if runs_to_stop([run]):
            with contextlib.suppress(Conflict, NotFound):  # it has ended in the meantime
                return await self._runs.request_abort(run.request.project, run.identifier, wisher(source))
        return run

    async def close_door(self, run: Run) -> None:
        """Its worker has stopped the run; harmless if somebody asked for that, or if another attempt counts now."""
        where = (
            equal("identifier", run.identifier),
            equal("attempt", run.attempt),
            among("status", ACTIVE),
            equal("should_abort", False),
        )
        wish: Row = {"should_abort": True, "wished_by": f"worker {run.worker}"}
        await self._storage.write(Batch((Update(RUNS.name, where, wish, optional=True),)))

    async def bound_to(self, run: Run, after: str | None = None) -> BoundPage:
        """Of the runs that it triggered, those behind the place where the page before ended."""
        path = path_of(RunFilter(source_kind=SourceKind.RUN, source_identifier=run.identifier))
        rows = await rows_on(self._storage, path, Order("identifier"), after, _PAGE)
        # There may be many, and most of them have ended.
        living = (row for row in rows if text(row, "status") in ACTIVE)
        return BoundPage(runs_to_stop(readable_runs(living)), text(rows[-1], "identifier") if rows else None)
