"""Real masters in virtual time for a scripted test: each call of their storage takes as long as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TypeVar

from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Ended, Event, Started
from job_orchestra.domain.jobs import LossPolicy
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.codec import decode_to_worker, encode
from job_orchestra.protocol.connection import FrameConnection
from job_orchestra.protocol.messages import (
    PROTOCOL_VERSION,
    Accepted,
    Acknowledged,
    Events,
    Execute,
    Hello,
    JournalEvent,
    Log,
    RunOnDisk,
    ToMaster,
    ToWorker,
)
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.workers import Workers
from job_orchestra.storage.port import StorageUnavailable
from tests.simulation.master import MASTER, PENDING_EXPIRY, MasterProcess, SimulatedMaster
from tests.simulation.memory_logs import LogBytes, MemoryLogs
from tests.simulation.memory_storage import MemoryStorage
from tests.simulation.network import Network
from tests.simulation.scenario import prepared
from tests.simulation.world import Process, World

T = TypeVar("T")
M = TypeVar("M", bound=ToWorker)


_DEADLINE = 1000.0
"""Virtual seconds that a test may take."""


class Peer:
    """The worker's end of a connection."""

    def __init__(self, connection: FrameConnection, world: World) -> None:
        self._connection = connection
        self._clock = world.clock
        self._unread: list[ToWorker] = []

    async def say(self, *messages: ToMaster) -> None:
        await self._connection.send_frame(encode(messages))

    async def greet(self, *runs: RunOnDisk, instance: str = "one") -> None:
        await self.say(Hello(PROTOCOL_VERSION, "1", "w", instance, "boot", "", 2, {}, 0.0, runs))

    async def hear(self, kind: type[M]) -> M:
        """The next message of that kind; others before it are dropped."""
        while True:
            while self._unread:
                message = self._unread.pop(0)
                if isinstance(message, kind):
                    return message
            self._unread += decode_to_worker(await self._connection.receive_frame())

    async def begin(self, run: Run, log: bytes = b"") -> None:
        """Is told to execute it, and does."""
        await self.hear(Execute)
        await self.say(Accepted(run.identifier, run.attempt), self.started(run), self.log(run, 0, log))
        await self.hear(Acknowledged)

    async def end(self, run: Run, log: bytes = b"") -> None:
        """Says that it has ended well, with this log."""
        reason = Reason(ReasonCode.COMPLETED, "It went well.")
        digest = sha256(log).hexdigest()
        ended = Ended(2, self._clock.now(), RunStatus.SUCCEEDED, reason, 1.0, len(log), digest)
        await self.say(self._events(run, ended))

    def started(self, run: Run) -> Events:
        return self._events(run, Started(1, self._clock.now(), {}, "/"))

    def log(self, run: Run, offset: int, data: bytes) -> Log:
        return Log(run.identifier, run.attempt, offset, data)

    def _events(self, run: Run, *happened: Event) -> Events:
        records = (event_to_record(event) for event in happened)
        said = tuple(JournalEvent(one.sequence, one.kind, one.date, one.data) for one in records)
        return Events(run.identifier, run.attempt, said)


class Road:
    """The way from one master to database and logs; what is on it is called `write runs` or `hash of a log`, say."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        """How long what is so called takes; everything else takes no time."""
        self.closed: set[str] = set()
        """What cannot be done at present."""
        self.turned_back: set[str] = set()
        """What was tried while it could not be done."""
        self.one_way: set[str] = set()
        """What is done at present, and without an answer."""

    async def carry(self, work: Callable[[], T], what: str) -> T:
        await asyncio.sleep(self.seconds.get(what, 0.0))
        if what in self.closed:
            self.turned_back.add(what)
            raise StorageUnavailable(f"The test does not allow to {what}.")
        result = work()
        if what in self.one_way:
            raise StorageUnavailable(f"The test allows to {what}, and tells nobody.")
        return result


class Stage:
    def __init__(self, masters: Sequence[str] = (MASTER,), pending_expiry: int = PENDING_EXPIRY) -> None:
        self.world = World(0)
        self.world.is_troubled = False
        self.roads = {master: Road() for master in masters}
        database, self._authorization = prepared()
        self._database = database.copy()
        self._logs = LogBytes()
        self._pending_expiry = pending_expiry
        self._network = Network(self.world)
        self._masters = [MasterProcess(self.world, master) for master in masters]
        self._worker = Process(self.world, "w#1")
        # What the test itself asks and does takes no time.
        storage, clock = MemoryStorage(self._database), self.world.clock
        self.runs = Runs(storage, clock)
        self.queue = RunQueue(storage, clock)
        self.late_reports = LateReports(storage, clock)
        self.workers = Workers(storage, clock)

    @property
    def road(self) -> Road:
        """Of the first master."""
        return next(iter(self.roads.values()))

    async def trigger(self, loss: LossPolicy | None = None) -> Run:
        definition = CommandsDefinition((("true",),))
        request = RunRequest("p", "own", definition, workspace=Workspace.RUN, loss=loss or LossPolicy())
        return (await self.runs.trigger(request, Source(SourceKind.USER, "eve"))).run

    async def stored(self, run: Run) -> Run:
        found = await self.queue.load(run.identifier)
        assert found is not None
        return found

    @asynccontextmanager
    async def peer(self, master: str = MASTER) -> AsyncGenerator[Peer]:
        async with self._network.connect(self._worker, "/worker", self._authorization, master) as connection:
            yield Peer(connection, self.world)

    def play(self, scenario: Callable[[], Awaitable[None]]) -> None:
        loop = self.world.loop

        async def main() -> None:
            for master in self._masters:
                self._start(master)
            await asyncio.sleep(0.1)
            async with asyncio.timeout(_DEADLINE):
                await scenario()
            for master in self._masters:
                master.stop.set()
                await asyncio.wait(master.tasks)

        try:
            loop.run_until_complete(main())
            if self.world.violated.done():
                self.world.violated.result()
        finally:
            self.world.violated.cancel()
            loop.close()

    def _start(self, master: MasterProcess) -> None:
        road = self.roads[master.application]
        storage, logs = MemoryStorage(self._database, road), MemoryLogs(self._logs, road)
        master.run(SimulatedMaster(master, self._network, storage, logs, self._pending_expiry))
