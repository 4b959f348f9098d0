"""A client that asks again, however often it takes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.client.call import Answered, Call
from job_orchestra.domain.errors import Unavailable

_PATIENCE = 120.0

T = TypeVar("T")


class PatientClient:
    """Raises Unavailable only where the service has been away for two minutes."""

    def __init__(self, client: AsyncClient, chance: random.Random) -> None:
        self._client = client
        self._chance = chance
        self.repetitions = 0

    async def send(self, call: Call[Answered]) -> Answered:
        return await self._insist(lambda: self._client.send(call))

    async def log(self, project: str, run: str, attempt: int | None = None) -> bytes:
        return await self._insist(lambda: self._client.log(project, run, attempt))

    async def follow_log(self, project: str, run: str) -> bytes:
        """What a follower has seen when the run has ended; only until its first answer it needs our patience."""

        async def follow() -> bytes:
            return b"".join([piece async for piece in self._client.follow_log(project, run)])

        return await self._insist(follow)

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        while True:
            try:
                return await ask()
            except Unavailable:
                if loop.time() > deadline:
                    raise
            self.repetitions += 1
            await asyncio.sleep(self._chance.uniform(0.02, 0.2))
