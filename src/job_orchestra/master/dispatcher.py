"""Gives pending runs to workers: woken by events, one commit for each assignment, many of them at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.identifiers import first_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.links import WorkerLinks
from job_orchestra.master.outage import Outage
from job_orchestra.master.pending import REFILL, Assignment, PendingQueue
from job_orchestra.master.pipeline_starts import PipelineStarts
from job_orchestra.master.slots import Slots
from job_orchestra.master.worker_link import WorkerLink
from job_orchestra.repositories.concurrency import Concurrency
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.run_queue import RunQueue

_logger = logging.getLogger(__name__)

_ASSIGNMENTS_AT_ONCE = 200
_RECENT = timedelta(seconds=60)
"""How far back the first safety poll looks for runs whose hint was lost."""
_LATE = timedelta(seconds=5)
"""How much later than its identifier says a run may be committed, and still be found by the next safety poll."""
_PAGE = 500
_PROBE = 10
"""Runs of a group that a look at its head loads: what came back to the queue is older than most, and stands there."""
_GROUPS_IN_A_SECOND = 20
"""That are looked at by the sweeps, however many there are."""
_LONGEST_BETWEEN_SWEEPS = 60.0


class Dispatcher:
    def __init__(
        self,
        queue: RunQueue,
        jobs: Jobs,
        concurrency: Concurrency,
        links: WorkerLinks,
        selector: WorkerSelector,
        pipeline_starts: PipelineStarts,
        outage: Outage,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._concurrency = concurrency
        self._links = links
        self._selector = selector
        self._pipeline_starts = pipeline_starts
        self._outage = outage
        self._clock = clock
        self._pending = PendingQueue()
        self._slots = Slots()
        self._ended: set[str] = set()
        """Runs that have let go of their slots since these were last looked at."""
        self._held: frozenset[tuple[str, str]] = frozenset()
        self._hinted: set[str] = set()
        self._looked_at: datetime | None = None
        """When the last safety poll began that came to its end."""
        self._wake = asyncio.Event()

    # ---------- what wakes it

    def hint(self, run: str) -> None:
        """A run was committed as pending, or put back."""
        self._hinted.add(run)
        self._wake.set()

    def offer(self, run: Run) -> None:
        """A run was committed as pending by this master, just so."""
        self._take_in([run])
        self._wake.set()

    def wake(self) -> None:
        """Something became free or was enabled."""
        self._wake.set()

    def note_ended(self, run: str) -> None:
        """What it had is free."""
        self._ended.add(run)
        self._wake.set()

    def forget(self, run: str) -> None:
        """The run waits no more."""
        self._pending.discard(run)
        self._pipeline_starts.discard(run)

    # ---------- the work

    async def run(self) -> None:
        """Until it is cancelled."""
        await self.look_everywhere()
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._take_in_hinted()
            await self._dispatch()

    async def _take_in_hinted(self) -> None:
        hinted, self._hinted = self._hinted, set()
        if not hinted:
            return
        before = list(self._links)
        runs = await self._outage.outlast(lambda: self._queue.load_many(sorted(hinted)))
        self._take_in(runs)
        self._deliver_assigned(runs, before)

    def _take_in(self, runs: Iterable[Run]) -> None:
        for run in runs:
            if (
                run.status is RunStatus.PENDING
                and run.worker is None
                and not run.should_cancel
                and run.waits_until is None
            ):
                self._ended.add(run.identifier)  # of an attempt before, which may have had a slot
                if isinstance(run.request.definition, PipelineDefinition):
                    self._pipeline_starts.add(run)
                else:
                    self._pending.add(run)

    def _deliver_assigned(self, runs: Iterable[Run], before: Collection[WorkerLink]) -> None:
        """To those connections that there were before the look: a newer one was greeted with newer records."""
        for run in runs:
            if run.status is RunStatus.PENDING and run.worker is not None and self._links.of(run) in before:
                self._deliver(run)

    def _deliver(self, run: Run) -> None:
        link = self._links.of(run)
        if link is not None:
            link.execute(run)

    async def _dispatch(self) -> None:
        await self._start_pipelines()
        while True:
            for key in self._pending.groups_to_refill():
                await self._refill(key)
            await self._look_at_slots()
            assignments = self._pending.plan(self._links.candidates(), self._selector, self._held, self._slots)
            if not assignments:
                return
            for start in range(0, len(assignments), _ASSIGNMENTS_AT_ONCE):
                some = assignments[start : start + _ASSIGNMENTS_AT_ONCE]
                await asyncio.gather(*(self._assign(assignment) for assignment in some))

    async def _look_at_slots(self) -> None:
        """Only where it matters, and at most once for each safety poll unless another master was quicker."""
        if self._slots.is_stale and (self._pending.has_limited or self._pipeline_starts.has_limited):
            self._ended.clear()
            in_use = await self._outage.outlast(self._concurrency.in_use)
            self._slots.replace(in_use.limits, in_use.holders)
        while self._ended:
            self._slots.free(self._ended.pop())

    async def _start_pipelines(self) -> None:
        while True:
            for key in self._pipeline_starts.groups_to_refill():
                await self._refill(key)
            await self._look_at_slots()
            outcomes = await self._pipeline_starts.start(self._held, self._slots)
            if not outcomes:
                return
            for run in (run for run, has_begun in outcomes.items() if not has_begun):
                self._slots.is_stale = True
                self.hint(run)

    async def _assign(self, assignment: Assignment) -> None:
        run = await self._outage.outlast(lambda: self._queue.assign(assignment.run, assignment.worker, assignment.slot))
        if run is not None:
            reach(FailPoint.MASTER_ASSIGNMENT_COMMITTED)
            self._deliver(run)
        else:
            # Cancelled, taken by another master as was perhaps its slot, or committed by an attempt whose answer was
            # lost: see what it is now.
            self._slots.is_stale = True
            self.hint(assignment.run.identifier)

    # ---------- what hints may have missed

    async def look_at_recent(self) -> None:
        """The slow safety poll: runs that came since the last one, the jobs' switches, and what other masters did."""
        self._slots.is_stale = True
        self._held = await self._outage.outlast(self._load_held)
        now = self._clock.now()
        since = min(self._looked_at or now - _RECENT, now) - _LATE
        after = first_run_identifier(to_microseconds(since) // 1000)
        while True:
            runs = await self._outage.outlast(lambda start=after: self._queue.pending_since(start, _PAGE))  # type: ignore[misc]
            self._take_in(run for run in runs if not self._is_known(run))
            if len(runs) < _PAGE:
                break
            after = runs[-1].identifier
        self._looked_at = now
        self._wake.set()

    def _is_known(self, run: Run) -> bool:
        return run.identifier in self._pending or run.identifier in self._pipeline_starts

    async def look_at_assigned(self) -> None:
        """Runs whose assignment was committed when their worker had just been greeted, here or by another master."""
        before = list(self._links)
        self._deliver_assigned(await self._outage.outlast(self._queue.assigned), before)

    async def look_everywhere(self) -> float:
        """At the start and now and then: the head of each group of pending runs, however old.

        Such as those that another master has put back into the queue, for their next attempt. Answers with the seconds
        after which it is to be done again, so that it costs the same however many groups there are.
        """
        self._slots.is_stale = True
        self._held = await self._outage.outlast(self._load_held)
        groups = await self._outage.outlast(self._queue.groups)
        for key in groups:
            await self._look_at_head(key)
        self._wake.set()
        return min(len(groups) / _GROUPS_IN_A_SECOND, _LONGEST_BETWEEN_SWEEPS)

    async def look_at_switches(self) -> None:
        self._held = await self._outage.outlast(self._load_held)
        self._wake.set()

    async def _load_held(self) -> frozenset[tuple[str, str]]:
        return frozenset(await self._jobs.disabled())

    async def _look_at_head(self, key: str) -> None:
        """One look for the group, however many of its runs wait; more of it are loaded once some are taken."""
        limit = REFILL if self._pending.is_in_reach(key) else 1
        runs = await self._outage.outlast(lambda: self._queue.head(key, min(limit, _PROBE)))
        if all(self._is_known(run) for run in runs):
            return
        if len(runs) == _PROBE:
            runs = await self._outage.outlast(lambda: self._queue.head(key, limit))
        self._add_head(key, runs, limit)

    async def _refill(self, key: str) -> None:
        self._add_head(key, await self._outage.outlast(lambda: self._queue.head(key, REFILL)), REFILL)

    def _add_head(self, key: str, runs: Sequence[Run], limit: int) -> None:
        """The first runs of a group, of which there may be more if there are as many as that."""
        if runs:
            is_pipeline = isinstance(runs[0].request.definition, PipelineDefinition)
            waiting = self._pipeline_starts if is_pipeline else self._pending
            waiting.add_head(runs, has_more=len(runs) == limit)
