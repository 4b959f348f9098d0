"""What a master does for one schedule: decides on ticks that have come due, and makes their runs.

Each step is one insert or one compare-and-set, and can be done again by whoever comes next, here or at another master.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Invalid, NotFound
from job_orchestra.domain.runs import RunRequest, Source, SourceKind
from job_orchestra.domain.schedules import CatchUp, Schedule
from job_orchestra.domain.tick_times import LocalTimes, latest_tick_times, tick_times, timetable_of
from job_orchestra.domain.ticks import (
    MOST_MISSED,
    Ledger,
    Refusal,
    Tick,
    TickState,
    decide,
    request_for,
    taken_up,
    undecided_since,
    why_given_up,
)
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.ticks import Ticks

_STEPS_AT_ONCE = 20
"""Then it is the turn of other schedules."""
_BETWEEN_PRUNING = 100


class Ticking:
    def __init__(
        self,
        ticks: Ticks,
        jobs: Jobs,
        runs: Runs,
        local_times: LocalTimes,
        clock: Clock,
        on_triggered: Callable[[str], None],
    ) -> None:
        """`on_triggered` is told of each run that was committed as pending."""
        self._ticks = ticks
        self._jobs = jobs
        self._runs = runs
        self._local_times = local_times
        self._clock = clock
        self._on_triggered = on_triggered

    async def bring_up_to_date(self, schedule: Schedule) -> datetime | None:
        """Does what is to be done now, and tells when to look again; None: not before something happens."""
        now = self._clock.now()
        for _ in range(_STEPS_AT_ONCE):
            if not await self._step(schedule, now):
                return self._next(schedule, now)
            now = self._clock.now()
        return now

    async def _step(self, schedule: Schedule, now: datetime) -> bool:
        """Whether there may be more to do. Where another master was there first, that is so, too."""
        ledger = await self._ticks.ledger(schedule.project, schedule.identifier, now)
        if ledger.has_some_ahead:
            await self._ticks.forget_ahead(schedule.project, schedule.identifier, ledger, now)
        if ledger.due is not None:
            await self._trigger(ledger.due)
            return True
        turned = await self._turn(schedule, ledger, now)
        if ledger.waiting is not None and turned is not None:
            await self._ticks.change(ledger.waiting, turned)
            return True
        ticks = await self._new_ticks(schedule, ledger, now)
        if ticks and await self._ticks.add(ticks):
            await self._prune(ledger, ticks)
        return bool(ticks)

    async def _trigger(self, tick: Tick) -> None:
        """Makes the run of a tick that is due, unless somebody has made it already."""
        assert tick.request is not None
        reach(FailPoint.MASTER_TICK_COMMITTED)
        source = Source(SourceKind.SCHEDULE, tick.schedule)
        triggered = await self._runs.trigger(tick.request, source, tick.idempotency_key)
        reach(FailPoint.MASTER_TICK_TRIGGERED)
        run = triggered.run.identifier
        self._on_triggered(run)
        now = self._clock.now()
        await self._ticks.change(tick, replace(tick, state=TickState.TRIGGERED, request=None, run=run, decided_at=now))

    async def _turn(self, schedule: Schedule, ledger: Ledger, now: datetime) -> Tick | None:
        """What becomes of the first tick that waits for its turn; None while it goes on waiting."""
        if ledger.waiting is None:
            return None
        reason = why_given_up(ledger.waiting, schedule, ledger, now)
        if reason is not None:
            return replace(ledger.waiting, state=TickState.MISSED, detail=reason, decided_at=now)
        if ledger.has_unended_run:
            return None
        busy = ledger.was_running_at(ledger.waiting.due)
        if busy is not None and schedule.settings.catch_up is CatchUp.LATEST:
            return replace(ledger.waiting, state=TickState.BUSY, detail=busy, decided_at=now)
        return taken_up(replace(ledger.waiting, decided_at=now), await self._wanted(schedule))

    async def _new_ticks(self, schedule: Schedule, ledger: Ledger, now: datetime) -> Sequence[Tick]:
        """Those that have come due and have no record, with what becomes of them."""
        if not schedule.is_ticking:
            return ()
        try:
            timetable = timetable_of(schedule.settings)
            after = undecided_since(schedule, ledger, now)
            moments = latest_tick_times(timetable, self._local_times, after, now, MOST_MISSED + 1)
        except ValueError:  # the schedule is shown as broken
            return ()
        return decide(schedule, ledger, moments, await self._wanted(schedule), now) if moments else ()

    async def _wanted(self, schedule: Schedule) -> RunRequest | Refusal:
        try:
            job = await self._jobs.get(schedule.project, schedule.settings.job)
        except NotFound:
            job = None
        except Invalid as error:
            return Refusal(f"The record of job {schedule.project}/{schedule.settings.job} cannot be read: {error}.")
        return request_for(schedule, job)

    async def _prune(self, ledger: Ledger, added: Sequence[Tick]) -> None:
        if ledger.last_number // _BETWEEN_PRUNING != added[-1].number // _BETWEEN_PRUNING:
            await self._ticks.prune(added[-1].project, added[-1].schedule, ledger)

    def _next(self, schedule: Schedule, now: datetime) -> datetime | None:
        if not schedule.is_ticking:
            return None
        try:
            return next(tick_times(timetable_of(schedule.settings), self._local_times, now), None)
        except ValueError:
            return None
