"""The service as a whole: HTTP API, control channels to the masters, and the wait for the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from job_orchestra.domain.errors import Unavailable
from job_orchestra.protocol.http_server import serve
from job_orchestra.protocol.listening import listen
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.service.dispatch import build_app
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.problems import malformed_answer

_logger = logging.getLogger(__name__)

_LOOK_AGAIN = 0.5
_GRACE = 5
"""Seconds that answers under way have when the service stops."""


class ServiceApplication:
    def __init__(
        self,
        *,
        address: str,
        port: int,
        check_schema: Callable[[], Awaitable[None]],
        parts: ServiceParts,
        log_disk_watch: LogDiskWatch | None = None,
    ) -> None:
        self.port = port
        """The real one, once `run` has called `ready`."""
        self._address = address
        self._check_schema = check_schema
        self._parts = parts
        self._log_disk_watch = log_disk_watch

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Serves until `stop` is set; answers from the first moment, with 503 while there is no database.

        Conflict if that has another schema than this program's.
        """
        listener = listen(self._address, self.port)
        self.port = listener.getsockname()[1]
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._parts.masters.run()),
                tasks.create_task(self._wait_for_database(ready)),
                tasks.create_task(self._close_followers(stop)),
                tasks.create_task(self._parts.trail.run()),
            ]
            if self._log_disk_watch is not None:
                beside.append(tasks.create_task(self._log_disk_watch.run()))
            try:
                await serve(build_app(self._parts), listener, stop, malformed=malformed_answer(), grace=_GRACE)
            finally:
                for task in beside:
                    task.cancel()
                await self._parts.repository_watch.close()

    async def _wait_for_database(self, ready: Callable[[str], None]) -> None:
        said = ""
        while True:
            try:
                await self._check_schema()
                break
            except Unavailable as error:
                if error.message != said:
                    said = error.message
                    _logger.warning("Waiting for the database: %s", said)
                await asyncio.sleep(_LOOK_AGAIN)
        ready(f"service: ready on {self._address}:{self.port}")

    async def _close_followers(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._parts.followers.close()
