from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import write_requests
from job_orchestra.fail_points import FailPoint, reach

OnWritten = Callable[[Request, Exception | None], None]


class RequestWriter:
    """Writes requests to disk durably, in a thread; those that come meanwhile are written together."""

    def __init__(self, runs: Path, on_written: OnWritten) -> None:
        self._runs = runs
        self._on_written = on_written
        self._waiting: list[Request] = []
        self._work: asyncio.Task[None] | None = None

    def write(self, request: Request) -> None:
        self._waiting.append(request)
        if self._work is None:
            self._work = asyncio.create_task(self._write_all(), name="write requests")

    async def close(self) -> None:
        """Returns when nothing is being written any more."""
        if self._work is not None:
            await self._work

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                requests, self._waiting = self._waiting, []
                outcome = await asyncio.to_thread(write_requests, self._runs, requests)
                reach(FailPoint.WORKER_REQUEST_WRITTEN)
                for request in requests:
                    self._on_written(request, outcome[request.key])
        finally:
            self._work = None
