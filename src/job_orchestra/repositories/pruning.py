"""Takes away runs that their retention lets go: records and log files together, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.repositories.expired_runs import AT_ONCE, ExpiredRuns
from job_orchestra.repositories.removals import Removal, Removals
from job_orchestra.repositories.retentions import JobRetention
from job_orchestra.storage.log_port import LogKey, LogStore

Step = TypeVar("Step")

_PAUSE = 4.0
"""In durations of the step before: a fifth of the time is taken, and less of a database that is busy."""
_PAUSES = (0.01, 10.0)


@dataclass(frozen=True, slots=True)
class Tally:
    """What is gone of a job, or would be."""

    project: str
    job: str
    runs: int = 0
    first: str = ""
    """Of the oldest and the newest, which tell when they were triggered."""
    last: str = ""
    log_bytes: int = 0
    """Of the files, which may be compressed."""

    def plus(self, runs: Sequence[str], log_bytes: int) -> Tally:
        return replace(
            self,
            runs=self.runs + len(runs),
            first=min((*runs, *filter(None, (self.first,))), default=""),
            last=max((*runs, self.last)),
            log_bytes=self.log_bytes + log_bytes,
        )


class Pruning:
    """May be interrupted anywhere, repeated, and done by several at once."""

    def __init__(self, expired: ExpiredRuns, removals: Removals, log_store: LogStore) -> None:
        self._expired = expired
        self._removals = removals
        self._log_store = log_store

    async def foresee(self, job: JobRetention) -> AsyncGenerator[Tally]:
        """What would go now, growing batch by batch; nothing is changed."""
        tally = Tally(job.project, job.job)
        async for runs in self._expired.of(job.project, job.job, job.retention):
            going = [Removal(run.identifier, run.project, run.attempt) for run in runs]
            tally = tally.plus([one.run for one in going], await self._log_bytes(going))
            yield tally

    async def prune(self, job: JobRetention) -> AsyncGenerator[Tally]:
        """Removes what goes now, and tells after each batch what is gone so far."""
        tally = Tally(job.project, job.job)
        async for runs in self._expired.of(job.project, job.job, job.retention):
            going = [Removal(run.identifier, run.project, run.attempt) for run in runs]
            await self._removals.begin(going)
            gone, log_bytes = await self._remove(going)
            tally = tally.plus([one.run for one in gone], log_bytes)
            yield tally

    async def finish_interrupted(self) -> AsyncGenerator[int]:
        """Goes on where a removal was begun and not finished; after each batch, how many runs that were so far."""
        runs = 0
        while going := await self._removals.unfinished(AT_ONCE):
            gone, _ = await self._remove(going)
            runs += len(gone)
            yield runs

    async def _remove(self, going: Sequence[Removal]) -> tuple[list[Removal], int]:
        """What is gone, and how many bytes of logs."""
        gone = await self._removals.settle(going)
        if not gone:
            return [], 0
        reach(FailPoint.MASTER_ROWS_REMOVED)
        log_bytes = await self._log_bytes(gone)
        for key in _log_keys(gone):
            await self._log_store.delete(key)
        reach(FailPoint.MASTER_LOGS_REMOVED)
        await self._removals.finish(gone)
        return gone, log_bytes

    async def _log_bytes(self, removals: Sequence[Removal]) -> int:
        return sum(await self._log_store.occupied(_log_keys(removals)))


async def gently(steps: AsyncGenerator[Step]) -> AsyncGenerator[Step]:
    """The same steps with pauses, so that those who wait for database and disk come first."""
    clock = asyncio.get_running_loop().time
    began = clock()
    async for step in steps:
        took = clock() - began
        yield step
        await asyncio.sleep(min(max(_PAUSE * took, _PAUSES[0]), _PAUSES[1]))
        began = clock()


def _log_keys(removals: Sequence[Removal]) -> list[LogKey]:
    return [
        LogKey(one.project, one.run, attempt, is_late)
        for one in removals
        for attempt in range(1, one.attempt + 1)
        for is_late in (False, True)
    ]
