"""Keeps the index of results in the background: learns which keys there are, fills it for older runs, removes it."""

from __future__ import annotations

import asyncio

from job_orchestra.master.outage import Outage
from job_orchestra.repositories.result_index import ResultIndex

_LOOK = 5.0
"""Seconds between two looks at which keys there are."""
_LEAST_PAUSE = 0.01


class ResultKeys:
    def __init__(self, index: ResultIndex, outage: Outage) -> None:
        self._index = index
        self._outage = outage

    async def run(self) -> None:
        """Until it is cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            started_at = now()
            has_more = await self._outage.outlast(self._index.look)
            # History waits: however much of it there is, runs and their reports have the database for most of the time.
            await asyncio.sleep(max(2 * (now() - started_at), _LEAST_PAUSE) if has_more else _LOOK)
