"""A disk of the logs that answers when the test lets it."""

from __future__ import annotations

import asyncio

from job_orchestra.storage.log_port import LogRoom


class HeldPulse:
    """A `LogPulse`."""

    place = "/srv/logs"

    def __init__(self) -> None:
        self.is_released = asyncio.Event()

    async def beat(self) -> None:
        await self.is_released.wait()

    async def room(self) -> LogRoom | None:
        return LogRoom(free=3 << 30, total=8 << 30)

    async def close(self) -> None:
        self.is_released.set()
