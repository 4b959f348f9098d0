"""When a master looks at which schedule: at the moment of a tick, when a hint comes, and else once a second."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.runs import Run, SourceKind
from job_orchestra.domain.schedules import Schedule
from job_orchestra.master.outage import Outage
from job_orchestra.master.ticking import Ticking
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks

_logger = logging.getLogger(__name__)

_SAFETY_POLL = 1.0
"""Seconds between two looks at all schedules; also those in which a jump of the clock is noticed."""
_LEAST_REST = 0.001
"""A timer may go off a moment early, and would do so again and again."""
_AT_ONCE = 50
_AFTER_AN_ERROR = timedelta(minutes=1)

_Key: TypeAlias = tuple[str, str]
"""Project and identifier of a schedule."""


@dataclass(slots=True)
class _Watched:
    schedule: Schedule
    next_look: datetime | None
    """None: when something happens."""
    looked_at: datetime

    def is_to_be_looked_at(self, now: datetime) -> bool:
        # A clock that was put back may show moments again of which nothing was decided.
        return now < self.looked_at or (self.next_look is not None and self.next_look <= now)


class Timekeeper:
    def __init__(self, schedules: Schedules, ticks: Ticks, ticking: Ticking, outage: Outage, clock: Clock) -> None:
        self._schedules = schedules
        self._ticks = ticks
        self._ticking = ticking
        self._outage = outage
        self._clock = clock
        self._watched: dict[_Key, _Watched] = {}
        self._has_switched = True
        self._hint = asyncio.Event()

    # ---------- what wakes it

    def schedule_switched(self) -> None:
        """A schedule was enabled or disabled."""
        self._has_switched = True
        self._hint.set()

    def on_news(self, run: Run) -> None:
        """A run has changed; if it ended, that may be what a tick of its schedule waits for."""
        if run.source.kind is not SourceKind.SCHEDULE or not run.status.is_terminal:
            return
        watched = self._watched.get((run.request.project, run.source.identifier))
        if watched is not None:
            watched.next_look = self._clock.now()
            self._hint.set()

    # ---------- the work

    async def run(self) -> None:
        """Until it is cancelled."""
        time = asyncio.get_running_loop().time
        next_poll = time()
        while True:
            self._hint.clear()
            if self._has_switched or time() >= next_poll:
                self._has_switched = False
                await self._outage.outlast(self._look_at_all)
                next_poll = time() + _SAFETY_POLL
            await self._look_at_those_due()
            await self._rest(next_poll - time())

    async def _look_at_all(self) -> None:
        """What was changed, and what has ticks that are not settled, is to be looked at now."""
        schedules, open_ones = await self._schedules.all(), await self._ticks.open()
        now = self._clock.now()
        before, self._watched = self._watched, {}
        for schedule in schedules:
            key = (schedule.project, schedule.identifier)
            watched = before.get(key)
            if watched is None or watched.schedule is not schedule:
                watched = _Watched(schedule, now, now)
            elif key in open_ones:
                watched.next_look = now
            self._watched[key] = watched

    async def _look_at_those_due(self) -> None:
        now = self._clock.now()
        due = [watched for watched in self._watched.values() if watched.is_to_be_looked_at(now)]
        for start in range(0, len(due), _AT_ONCE):
            await asyncio.gather(*(self._look_at(watched) for watched in due[start : start + _AT_ONCE]))

    async def _look_at(self, watched: _Watched) -> None:
        watched.looked_at, watched.next_look = self._clock.now(), None
        try:
            next_look = await self._outage.outlast(lambda: self._ticking.bring_up_to_date(watched.schedule))
        except Unavailable:
            raise
        except Exception:  # whatever is wrong with one schedule must not stop the others, nor the master
            schedule = watched.schedule
            _logger.exception("Schedule %s/%s cannot be looked at.", schedule.project, schedule.identifier)
            next_look = self._clock.now() + _AFTER_AN_ERROR
        # A hint may have come meanwhile, and is earlier.
        watched.next_look = min(filter(None, (watched.next_look, next_look)), default=None)

    async def _rest(self, longest: float) -> None:
        """Until the next look is due, or a hint comes."""
        now = self._clock.now()
        looks = (watched.next_look for watched in self._watched.values() if watched.next_look is not None)
        seconds = ((look - now).total_seconds() for look in looks)
        try:
            await asyncio.wait_for(self._hint.wait(), max(min([*seconds, longest]), _LEAST_REST))
        except TimeoutError:
            return
