"""Looks once a minute how much there is to do, unless another master has."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import NoReturn

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.measures import minute_of
from job_orchestra.master.outage import Outage
from job_orchestra.repositories.measures import Measures

_INTERVAL = 5.0
"""Seconds between two looks at the clock."""


class Sampling:
    """No master knows the whole installation by itself: workers and runs of others are in the database alone."""

    def __init__(self, measures: Measures, outage: Outage, clock: Clock) -> None:
        self._measures = measures
        self._outage = outage
        self._clock = clock
        self._settled: datetime | None = None
        """The minute of which there is a measure."""

    async def run(self) -> NoReturn:
        """Until it is cancelled."""
        while True:
            await self._outage.outlast(self._look)
            await asyncio.sleep(_INTERVAL)

    async def _look(self) -> None:
        minute = minute_of(self._clock.now())
        if minute == self._settled:
            return
        if not await self._measures.has(minute):
            await self._measures.take()
        self._settled = minute
