"""A master that keeps everything in memory, behind a real WebSocket and the real session; and a worker beside it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from job_orchestra.domain.errors import Unauthenticated
from job_orchestra.domain.job_data import limits_to_data
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.domain.json import JsonObject
from job_orchestra.execution.host_directory import HOSTS, HostDirectory
from job_orchestra.execution.process_identity import is_alive
from job_orchestra.protocol.codec import decode_to_master, encode, encode_frames
from job_orchestra.protocol.connection import (
    ConnectionLost,
    FrameConnection,
    FrameServer,
    basic_authorization,
)
from job_orchestra.protocol.master_session import (
    HindranceChanged,
    MasterSession,
    PutBack,
    StoredRun,
    StoreEvents,
    StoreLog,
    TakenOver,
)
from job_orchestra.protocol.messages import Abort, Execute, Goodbye, Hello, JournalEvent, ToWorker
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.worker.application import WorkerApplication

DEADLINE = 20.0
T = TypeVar("T")


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs an asynchronous test."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(bounded())


@dataclass
class Stored:
    """What the master has of a run."""

    execute: Execute
    events: list[JournalEvent] = field(default_factory=list[JournalEvent])
    log: bytearray = field(default_factory=bytearray)
    is_accepted: bool = False
    refusal: str | None = None
    is_released: bool = False
    times_sent_again: int = 0
    is_lost: bool = False
    """The worker came back with less of it than it had told."""

    @property
    def is_wanted(self) -> bool:
        return not (self.is_released or self.is_lost) and self.refusal is None

    @property
    def end(self) -> JournalEvent | None:
        return self.events[-1] if self.events and self.events[-1].kind == "ended" else None

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for event in self.events if event.kind == kind]

    @property
    def outcome(self) -> tuple[Any, Any]:
        assert self.end is not None
        reason: Any = self.end.data["reason"]
        return self.end.data["status"], reason["code"]


class StandInMaster:
    def __init__(self, token: str = "token") -> None:
        self._token = token
        self.runs: dict[RunKey, Stored] = {}
        self.hellos: list[Hello] = []
        self.goodbyes: list[Goodbye] = []
        self.hindrances: list[str] = []
        self.restarted: list[RunKey] = []
        """What the worker had lost when its host was restarted."""
        self.is_acknowledging = True
        self.refusal: Goodbye | None = None
        self._changed = asyncio.Condition()
        self._connection: FrameConnection | None = None
        self._session = MasterSession()
        self._count = 0
        self._prefix = secrets.token_hex(4)
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str]:
        """At a URL, the same one each time."""
        async with FrameServer("127.0.0.1", self.port, self._admit, {"/worker": self._serve}) as server:
            self.port = server.port
            yield f"ws://127.0.0.1:{self.port}"

    async def until(self, condition: Callable[[], T]) -> T:
        async with asyncio.timeout(DEADLINE), self._changed:
            while not (value := condition()):
                await self._changed.wait()
            return value

    async def until_log(self, stored: Stored, text: str) -> None:
        await self.until(lambda: text.encode() in stored.log)

    async def until_longer(self, stored: Stored) -> None:
        size = len(stored.log)
        await self.until(lambda: len(stored.log) > size)

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def execute(self, definition: JsonObject, **fields: Any) -> Stored:
        self._count += 1
        given: dict[str, Any] = {
            "run": f"{self._prefix}-{self._count}",
            "attempt": 1,
            "project": "example",
            "job": f"job-{self._count}",
            "parameters": {},
            "workspace": "job",
            "limits": limits_to_data(RunLimits(grace=0.5)),
            **fields,
        }
        execute = Execute(definition=definition, **given)
        key = RunKey(execute.run, execute.attempt)
        stored = self.runs[key] = Stored(execute)
        assert self._session.execute(key)
        await self.send(execute)
        return stored

    async def abort(self, stored: Stored, by: str = "ann") -> None:
        await self.send(Abort(stored.execute.run, stored.execute.attempt, by))

    async def send(self, *messages: ToWorker) -> None:
        if self._connection is not None:
            with suppress(ConnectionLost):
                await self._connection.send_frame(encode(messages))

    async def send_frame(self, frame: bytes) -> None:
        """Whatever it holds."""
        assert self._connection is not None
        await self._connection.send_frame(frame)

    async def cut(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def finish(self, stored: Stored) -> Stored:
        await self.until(lambda: stored.is_released)
        return stored

    async def _admit(self, _: str, authorization: str | None) -> object:
        if authorization != basic_authorization("worker", self._token):
            raise Unauthenticated("There is no such token.")
        return None

    async def _serve(self, connection: FrameConnection, _: object) -> None:
        with suppress(ConnectionLost):
            (hello,) = decode_to_master(await connection.receive_frame())
            assert isinstance(hello, Hello)
            if self.refusal is not None:
                await connection.send_frame(encode((self.refusal,)))
                await self._note(lambda: self.hellos.append(hello))
                return
            await self._greet(connection, hello)
            while True:
                for message in decode_to_master(await connection.receive_frame()):
                    if isinstance(message, Goodbye):
                        self.goodbyes.append(message)
                    await self._receive(connection, message)
                await self._note(lambda: None)
        if self._connection is connection:
            self._connection = None
        await self._note(lambda: None)

    async def _greet(self, connection: FrameConnection, hello: Hello) -> None:
        session = MasterSession()
        active = {key: one for key, one in self.runs.items() if one.is_wanted}
        stored = [StoredRun(key, len(one.events), len(one.log)) for key, one in active.items()]
        greeting = session.greet(hello, stored, "test", "stand-in")
        for lost in greeting.missing:
            active[lost].is_lost = True
        self.restarted += greeting.restarted
        for key in greeting.restarted:
            # What is left is told from its beginning.
            active[key].events.clear()
            active[key].log.clear()
        self._session, self._connection = session, connection
        messages: list[ToWorker] = [greeting.welcome]
        for key in greeting.to_execute:
            assert session.execute(key)
            messages.append(active[key].execute)
        for frame in encode_frames(messages):
            await connection.send_frame(frame)
        await self._note(lambda: self.hellos.append(hello))

    async def _receive(self, connection: FrameConnection, message: Any) -> None:
        for effect in self._session.receive(message):
            match effect:
                case HindranceChanged(by):
                    self.hindrances.append(by)
                case TakenOver(key):
                    self.runs[key].is_accepted = True
                case PutBack(key, reason):
                    self.runs[key].refusal = reason
                case StoreLog(key, offset, data):
                    assert offset == len(self.runs[key].log)
                    self.runs[key].log += data
                    await self._answer(connection, key)
                case StoreEvents(key, events):
                    self.runs[key].events.extend(events)
                    await self._answer(connection, key)
                case _:
                    pass

    async def _answer(self, connection: FrameConnection, key: RunKey) -> None:
        stored = self.runs[key]
        if not self.is_acknowledging:
            return
        reply: ToWorker = self._session.acknowledge(key, len(stored.events), len(stored.log))
        if stored.end is not None:
            facts = (stored.end.data["log_size"], stored.end.data["log_sha256"])
            if facts == (len(stored.log), hashlib.sha256(stored.log).hexdigest()):
                stored.is_released = True
                reply = self._session.release(key)
            else:
                stored.events.pop()
                stored.log.clear()
                stored.times_sent_again += 1
                reply = self._session.send_again(key, len(stored.events))
        # A worker that has gone does not hear it; what it said last is still to be read.
        with suppress(ConnectionLost):
            await connection.send_frame(encode((reply,)))

    async def _note(self, change: Callable[[], None]) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()


class RunningWorker:
    def __init__(self, directory: Path, url: str, **options: Any) -> None:
        usual: dict[str, Any] = {"identifier": "worker-1", "user": "worker", "token": "token", "host_linger": 5.0}
        self.application = WorkerApplication(directory=directory, master_url=url, **{**usual, **options})
        self.stop = asyncio.Event()
        self.ready: list[str] = []
        self.task = asyncio.create_task(self.application.run(self.stop, self.ready.append))

    async def end(self) -> None:
        self.stop.set()
        await self.task


@asynccontextmanager
async def working(directory: Path, url: str, **options: Any) -> AsyncGenerator[RunningWorker]:
    """A worker in this process, with real executor hosts, which stay behind."""
    worker = RunningWorker(directory, url, **options)
    try:
        yield worker
    finally:
        await worker.end()


def host_pids(directory: Path) -> list[int]:
    identities = [HostDirectory(path).read_identity() for path in (directory / HOSTS).glob("*")]
    return [one.pid for one in identities if one is not None and is_alive(one)]


def end_hosts(directory: Path) -> None:
    for pid in host_pids(directory):
        os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
