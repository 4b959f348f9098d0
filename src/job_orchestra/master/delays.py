"""Lets runs go on that wait for a moment before their next attempt: when it comes, or within a second of it."""

from __future__ import annotations

import asyncio
from datetime import datetime

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.runs import Run
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.dispatcher import Dispatcher
from job_orchestra.master.outage import Outage
from job_orchestra.repositories.run_queue import RunQueue

_SAFETY_POLL = 1.0
"""Seconds between two looks for what other masters put there; also those in which a jump of the clock is noticed."""
_LEAST_REST = 0.001
"""A timer may go off a moment early, and would do so again and again."""
_AT_ONCE = 200


class Delays:
    def __init__(self, queue: RunQueue, dispatcher: Dispatcher, outage: Outage, clock: Clock) -> None:
        self._queue = queue
        self._dispatcher = dispatcher
        self._outage = outage
        self._clock = clock
        self._hint = asyncio.Event()

    def on_news(self, run: Run) -> None:
        """Of a run that waits, perhaps for a moment that comes before all others."""
        if run.waits_until is not None:
            self._hint.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self._hint.clear()
            await self._rest(await self._end_those_that_are_over())

    async def _end_those_that_are_over(self) -> datetime | None:
        """When the next one is; None if nothing waits."""
        while True:
            delayed = await self._outage.outlast(lambda: self._queue.delayed(_AT_ONCE))
            now = self._clock.now()
            for run in delayed:
                assert run.waits_until is not None
                if run.waits_until > now:
                    return run.waits_until
                await self._end(run)
            if len(delayed) < _AT_ONCE:
                return None

    async def _end(self, run: Run) -> None:
        await self._outage.outlast(lambda: self._queue.end_delay(run))
        reach(FailPoint.MASTER_DELAY_ENDED)
        # Also where another master was quicker: this one may have the worker for it.
        self._dispatcher.hint(run.identifier)

    async def _rest(self, next_end: datetime | None) -> None:
        seconds = _SAFETY_POLL if next_end is None else (next_end - self._clock.now()).total_seconds()
        try:
            await asyncio.wait_for(self._hint.wait(), max(min(seconds, _SAFETY_POLL), _LEAST_REST))
        except TimeoutError:
            return
