"""Whether known workers could ever take what waits. The workers are looked up about once a second, not for each run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.placement import Candidate, WorkerSelector, candidate_of, why_impossible
from job_orchestra.domain.runs import Run, RunRequest, queue_key
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.workers import Workers

_FRESH = 1.0
"""Seconds."""


class Foresight:
    def __init__(self, workers: Workers, selector: WorkerSelector, clock: Clock) -> None:
        self._workers = workers
        self._selector = selector
        self._clock = clock
        self._candidates: Sequence[Candidate] = ()
        self._looked_at: float | None = None
        self._said: dict[str, str | None] = {}
        """By the groups of runs, which fit the same workers."""

    async def warning(self, run: Run) -> str | None:
        """That no known worker could ever take the run; None if one could, and while nobody can tell."""
        return (await self.warnings([run])).get(run.identifier)

    async def warnings(self, runs: Iterable[Run]) -> dict[str, str]:
        """As `warning`, for each run that has one."""
        waiting = [run for run in runs if run.status is RunStatus.PENDING and run.worker is None]
        if not waiting:
            return {}
        try:
            await self._look()
        except Unavailable:
            # What was asked for, a trigger say, was done all the same.
            return {}
        said = {run.identifier: self._say(run.request) for run in waiting}
        return {run: warning for run, warning in said.items() if warning is not None}

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._looked_at is not None and now - self._looked_at < _FRESH:
            return
        workers = await self._workers.all()
        self._candidates = [candidate_of(worker, (), self._clock.now()) for worker in workers]
        self._looked_at, self._said = now, {}

    def _say(self, request: RunRequest) -> str | None:
        key = queue_key(request)
        if key not in self._said:
            self._said[key] = why_impossible(request, self._candidates, self._selector)
        return self._said[key]
