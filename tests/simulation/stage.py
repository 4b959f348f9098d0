"""A real master in virtual time for a scripted test: each call of the storage takes as long as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.runs import RunRequest, Source, SourceKind
from job_orchestra.protocol.codec import decode_to_worker, encode
from job_orchestra.protocol.connection import FrameConnection
from job_orchestra.protocol.messages import PROTOCOL_VERSION, Hello, ToMaster, ToWorker
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.workers import Workers
from tests.simulation.master import MasterProcess, SimulatedMaster
from tests.simulation.memory_logs import LogBytes, MemoryLogs
from tests.simulation.memory_storage import MemoryStorage
from tests.simulation.network import Network
from tests.simulation.scenario import prepared
from tests.simulation.world import Process, World

T = TypeVar("T")
M = TypeVar("M", bound=ToWorker)


class Peer:
    """The worker's end of a connection."""

    def __init__(self, connection: FrameConnection) -> None:
        self._connection = connection
        self._unread: list[ToWorker] = []

    async def say(self, *messages: ToMaster) -> None:
        await self._connection.send_frame(encode(messages))

    async def greet(self, instance: str = "one") -> None:
        await self.say(Hello(PROTOCOL_VERSION, "1", "w", instance, "boot", "", 2, {}, 0.0, ()))

    async def hear(self, kind: type[M]) -> M:
        """The next message of that kind; others before it are dropped."""
        while True:
            while self._unread:
                message = self._unread.pop(0)
                if isinstance(message, kind):
                    return message
            self._unread += decode_to_worker(await self._connection.receive_frame())


class Stage:
    """Also the `Passage` of the master's storage."""

    def __init__(self) -> None:
        self.world = World(0)
        self.world.is_troubled = False
        self.seconds: dict[str, float] = {}
        """How long what is so called takes (`write workers`, `append to logs`); everything else takes no time."""
        self._database, self._authorization = prepared()
        self.storage = MemoryStorage(self._database.copy(), self)
        self.workers = Workers(self.storage, self.world.clock)
        self._network = Network(self.world)
        self._master = MasterProcess(self.world, "master")
        self._worker = Process(self.world, "w#1")

    async def carry(self, work: Callable[[], T], what: str) -> T:
        await asyncio.sleep(self.seconds.get(what, 0.0))
        return work()

    async def trigger(self) -> str:
        request = RunRequest("p", "own", CommandsDefinition((("true",),)), workspace=Workspace.RUN)
        runs = Runs(self.storage, self.world.clock)
        return (await runs.trigger(request, Source(SourceKind.USER, "eve"))).run.identifier

    @asynccontextmanager
    async def peer(self) -> AsyncGenerator[Peer]:
        async with self._network.connect(self._worker, "/worker", self._authorization) as connection:
            yield Peer(connection)

    def play(self, scenario: Callable[[], Awaitable[None]]) -> None:
        loop = self.world.loop

        async def main() -> None:
            self._master.run(SimulatedMaster(self._master, self._network, self.storage, MemoryLogs(LogBytes(), self)))
            await asyncio.sleep(0.1)
            await scenario()
            self._master.stop.set()
            await asyncio.wait(self._master.tasks)

        try:
            loop.run_until_complete(main())
            if self.world.violated.done():
                self.world.violated.result()
        finally:
            self.world.violated.cancel()
            loop.close()
