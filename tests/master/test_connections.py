"""A real master and a real worker with something broken between them, or with others beside them who speak nonsense."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed

from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.master.intake import log_key
from job_orchestra.protocol import connection as shell
from job_orchestra.protocol.codec import decode_to_worker, encode
from job_orchestra.protocol.connection import basic_authorization
from job_orchestra.protocol.messages import (
    MAXIMAL_FRAME_SIZE,
    PROTOCOL_VERSION,
    Accepted,
    Events,
    Goodbye,
    Hello,
    JournalEvent,
    Log,
    ToMaster,
    Welcome,
)
from tests.master.peers import Surroundings, fresh_database, surroundings
from tests.protocol.proxies import broken_proxy, tcp_proxy
from tests.worker.standing_in import RunningWorker, end_hosts

_DEADLINE = 60.0


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "worker"
    end_hosts(tmp_path / "worker")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-open connections and lost frames are noticed in less than a second, so that tests need not wait."""
    monkeypatch.setattr(shell, "PING_INTERVAL", 0.3)
    monkeypatch.setattr(shell, "PING_TIMEOUT", 0.5)
    monkeypatch.setattr(shell, "SILENCE", 0.3)


def test_half_open_connections_are_noticed_within_seconds() -> None:
    assert shell.PING_INTERVAL + shell.PING_TIMEOUT <= 10


@asynccontextmanager
async def working(parts: Surroundings, directory: Path, url: str) -> AsyncGenerator[RunningWorker]:
    worker = RunningWorker(
        directory, url, identifier="w", user="workers", token=parts.token, executor_limit=4, host_linger=0.5
    )
    try:
        yield worker
    finally:
        await worker.end()


async def trigger(parts: Surroundings, script: str) -> Run:
    request = RunRequest("p", "j", CommandsDefinition((("sh", "-c", script),)), workspace=Workspace.RUN)
    return (await parts.runs.trigger(request, Source(SourceKind.USER, "eve"))).run


async def ended(parts: Surroundings, run: Run) -> Run:
    while not (stored := await parts.stored(run)).status.is_terminal:
        await asyncio.sleep(0.02)
    return stored


async def check(parts: Surroundings, run: Run, written: bytes) -> None:
    """It ended well, at its first attempt, and its log is what its command wrote, line for line, and verified."""
    stored = await ended(parts, run)
    assert (stored.status, stored.attempt) == (RunStatus.SUCCEEDED, 1), stored.reason
    content = await parts.log_store.read(log_key(stored), 0, 1 << 26)
    own = [line for line in content.splitlines(keepends=True) if not line.startswith(b"[orchestra]")]
    assert b"".join(own) == written
    assert len(content) == stored.log.size
    assert stored.log.sha256 is not None


def numbers(count: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(1, count + 1))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("directions", [("up",), ("down",), ("up", "down")], ids=" ".join)
def test_a_connection_that_hangs_is_replaced(tmp_path: Path, directory: Path, directions: tuple[str, ...]) -> None:
    gate = tmp_path / "gate"

    async def scenario() -> None:
        async with (
            surroundings(fresh_database(tmp_path), tmp_path) as parts,
            parts.serving(),
            tcp_proxy(parts.port) as proxy,
            working(parts, directory, proxy.url),
            asyncio.timeout(_DEADLINE),
        ):
            run = await trigger(parts, f"echo before; while ! test -e {gate}; do sleep 0.02; done; seq 1000")
            while not (await parts.log_store.read(log_key(run), 0, 1 << 20)).endswith(b"before\n"):
                await asyncio.sleep(0.02)
            before = proxy.connections
            proxy.hang(*directions)
            while proxy.connections == before:
                await asyncio.sleep(0.02)
            gate.touch()
            await check(parts, run, b"before\n" + numbers(1000))

    asyncio.run(scenario())


def test_connections_that_are_cut_anywhere_lose_and_repeat_nothing(tmp_path: Path, directory: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    async def scenario() -> None:
        async with (
            surroundings(fresh_database(tmp_path), tmp_path) as parts,
            parts.serving(),
            tcp_proxy(parts.port) as proxy,
            asyncio.timeout(_DEADLINE),
        ):
            proxy.cut_after = chance.randint(1, 300_000)
            async with working(parts, directory, proxy.url):
                runs = [await trigger(parts, "seq 200000") for _ in range(3)]
                while proxy.connections < 6:
                    proxy.cut_after = chance.randint(1, 300_000)
                    await asyncio.sleep(0.01)
                proxy.cut_after = None
                for run in runs:
                    await check(parts, run, numbers(200_000))

    asyncio.run(scenario())


@pytest.mark.usefixtures("impatient")
def test_a_proxy_that_loses_repeats_and_moves_frames_costs_time_only(tmp_path: Path, directory: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")

    async def scenario() -> None:
        async with (
            surroundings(fresh_database(tmp_path), tmp_path) as parts,
            parts.serving(),
            broken_proxy(parts.port, random.Random(seed), wrongness=0.1) as proxy,
            working(parts, directory, proxy.url),
            asyncio.timeout(_DEADLINE),
        ):
            while set(proxy.done) != {"lost", "repeated", "held back"}:
                runs = [await trigger(parts, "for i in 1 2 3 4 5; do seq 5000; sleep 0.05; done") for _ in range(4)]
                for run in runs:
                    await check(parts, run, 5 * numbers(5000))

    asyncio.run(scenario())


# ---------- others who speak nonsense


class Stranger:
    """A WebSocket client with a worker's token that says what it wants to."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._sent = 0

    async def say(self, frame: bytes) -> None:
        self._sent += 1
        await self.connection.send(self._sent.to_bytes(4, "big") + frame)

    async def greet(self, name: str = "stranger") -> None:
        await self.say(encode((Hello(PROTOCOL_VERSION, "1", name, "x", "b", "", 1, {}, 0.0, ()),)))
        assert isinstance(decode_to_worker((await self._receive())[4:])[0], Welcome)

    async def _receive(self) -> bytes:
        frame = await self.connection.recv()
        assert isinstance(frame, bytes)
        return frame

    async def last_word(self) -> str:
        """What the master says before it closes: a goodbye, or the reason of the close."""
        words = ""
        try:
            while True:
                frame = await self._receive()
                words += (
                    "".join(one.message for one in decode_to_worker(frame[4:]) if isinstance(one, Goodbye))
                    if len(frame) > 4
                    else ""
                )
        except ConnectionClosed as closed:
            return words or (closed.rcvd.reason if closed.rcvd else "")


def event(kind: str = "started", sequence: int = 1, **data: object) -> JournalEvent:
    return JournalEvent(sequence, kind, 0, data)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


SAID_AT_ONCE: dict[str, tuple[bytes | str, str]] = {
    "nothing": (b"", "frame 0 came where 1 was next"),
    "a number of another frame": (b"\0\0\0\7" + encode(()), "frame 7 came where 1 was next"),
    "noise": (b"\0\0\0\1" + random.Random(1).randbytes(1000), "malformed"),
    "text": ("hello", "text"),
    "too much": (b"\0" * (MAXIMAL_FRAME_SIZE + 100), "exceeds limit"),
    "a message that is unheard of": (b"\0\0\0\1" + msgspec.msgpack.encode([{"type": "conquer"}]), "malformed"),
    "no hello": (b"\0\0\0\1" + encode((Accepted("r", 1),)), "first frame"),
    "another version": (
        b"\0\0\0\1" + encode((Hello(99, "9", "stranger", "x", "b", "", 1, {}, 0.0, ()),)), "speaks protocol 99",
    ),
    "the name of the good worker": (
        b"\0\0\0\1" + encode((Hello(PROTOCOL_VERSION, "1", "w", "x", "b", "", 1, {}, 0.0, ()),)),
        "Worker 'w' is connected already, as instance",
    ),
    "nesting": (b"\0\0\0\1" + b"\x91" * 1_000_000, "malformed"),
}  # fmt: skip


def said_later(run: str) -> dict[str, tuple[ToMaster, str]]:
    """After a hello that was in order; `run` is the good worker's."""
    hello = Hello(PROTOCOL_VERSION, "1", "stranger", "x", "b", "", 1, {}, 0.0, ())
    return {
        "hello again": (hello, "twice"),
        "log of the good worker's run": (Log(run, 1, 0, b"forged"), "not one of its runs"),
        "end of the good worker's run": (Events(run, 1, (event("ended"),)), "not one of its runs"),
        "events of no run": (Events("nope", 1, (event(),)), "not one of its runs"),
        "another attempt": (Log(run, 2, 0, b"forged"), "not one of its runs"),
    }


def test_nonsense_of_others_is_answered_and_hurts_nobody(
    tmp_path: Path, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = tmp_path / "gate"

    async def scenario() -> None:
        async with (
            surroundings(fresh_database(tmp_path), tmp_path) as parts,
            parts.serving(),
            tcp_proxy(parts.port) as proxy,
            working(parts, directory, proxy.url),
            asyncio.timeout(_DEADLINE),
        ):
            run = await trigger(parts, f"seq 1000; while ! test -e {gate}; do sleep 0.02; done; seq 1000")
            while (await parts.stored(run)).status is not RunStatus.RUNNING:
                await asyncio.sleep(0.02)

            @asynccontextmanager
            async def stranger() -> AsyncGenerator[Stranger]:
                headers = {"Authorization": basic_authorization("workers", parts.token)}
                url = f"ws://127.0.0.1:{parts.port}/worker"
                connection = await connect(url, additional_headers=headers, max_size=None, proxy=None)
                yield Stranger(connection)
                with suppress(AttributeError):  # of a transport that is gone already
                    connection.transport.abort()

            for name, (said, answer) in SAID_AT_ONCE.items():
                async with stranger() as one:
                    await one.connection.send(said)
                    assert answer in await one.last_word(), name
            for name, (message, answer) in said_later(run.identifier).items():
                async with stranger() as one:
                    await one.greet()
                    await one.say(encode((message,)))
                    assert answer in await one.last_word(), name
            gate.touch()
            await check(parts, run, numbers(1000) + numbers(1000))
            assert proxy.connections == 1
            assert (await parts.stored(run)).reason.code is ReasonCode.COMPLETED  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert caplog.records == []
