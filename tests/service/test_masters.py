"""The control channel, with the other end played by the test over a real WebSocket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from job_orchestra.domain.errors import Unauthenticated
from job_orchestra.domain.roles import Role
from job_orchestra.protocol.authorization import read_authorization
from job_orchestra.protocol.codec import decode_hints_to_master, encode
from job_orchestra.protocol.connection import ConnectionLost, FrameConnection, FrameServer
from job_orchestra.protocol.control import HintToMaster, JobSwitched, LogGrew, RunChanged, RunTriggered, RunWish
from tests.ports import free_port
from tests.service.serving import DEADLINE, Served, serving


class _Master:
    """Collects the hints of services, and says what it is told to."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[HintToMaster] = asyncio.Queue()
        self.connections: list[FrameConnection] = []
        self.served: Served | None = None
        self.was_connected = asyncio.Event()

    async def admit(self, path: str, authorization: str | None) -> object:
        if self.served is None:
            raise Unauthenticated("Not yet.")
        await self.served.accounts.check_control_token(read_authorization(authorization).secret)
        return None

    async def serve(self, connection: FrameConnection, who: object) -> None:
        self.connections.append(connection)
        self.was_connected.set()
        try:
            while True:
                for hint in decode_hints_to_master(await connection.receive_frame()):
                    await self.heard.put(hint)
        except ConnectionLost:
            self.connections.remove(connection)

    async def say(self, *hints: LogGrew | RunChanged) -> None:
        for connection in self.connections:
            await connection.send_frame(encode(hints))

    async def hear(self) -> HintToMaster:
        return await asyncio.wait_for(self.heard.get(), DEADLINE)


@asynccontextmanager
async def _listening(master: _Master, port: int) -> AsyncGenerator[None]:
    async with FrameServer("127.0.0.1", port, master.admit, {"/control": master.serve}):
        master.was_connected.clear()
        await asyncio.wait_for(master.was_connected.wait(), DEADLINE)
        yield


async def _until_ready(served: Served) -> None:
    async with asyncio.timeout(DEADLINE):
        while (await served.anonymous.get("/ready")).json()["waiting_for"]:
            await asyncio.sleep(0.01)


def test_what_is_committed_is_hinted_and_what_is_heard_wakes_followers(sqlite_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        master, port = _Master(), free_port()
        async with serving(sqlite_url, tmp_path, f"ws://127.0.0.1:{port}") as served:
            master.served = served
            answer = (await served.anonymous.get("/ready")).json()
            assert answer == {"status": "ready", "waiting_for": [f"master: ws://127.0.0.1:{port} is not connected"]}
            async with _listening(master, port):
                await _until_ready(served)
                await _converse(master, served)

    asyncio.run(scenario())


async def _converse(master: _Master, served: Served) -> None:
    client = await served.user(Role.OPERATOR)
    run = (await client.post("/projects/example/jobs/hello/trigger")).json()
    assert await master.hear() == RunTriggered(run["identifier"])
    await client.post(f"/projects/example/runs/{run['identifier']}/cancel")
    assert await master.hear() == RunWish(run["identifier"])
    await client.post("/projects/example/jobs/hello/disable")
    assert await master.hear() == JobSwitched("example", "hello")
    started = await served.started()
    path = f"/projects/example/runs/{started.identifier}/log"
    delays: list[float] = []
    async with client.stream("GET", path, params={"follow": "true"}) as response:
        chunks = response.aiter_raw()
        for _ in range(10):
            started = await served.wrote(started, b"line\n")
            before = time.monotonic()
            await master.say(LogGrew(started.identifier, 1, started.log.size))
            assert await anext(chunks) == b"line\n"
            delays.append(time.monotonic() - before)
        await served.ended(started)
        await master.say(RunChanged("example", started.identifier, is_ended=True))
        async for chunk in chunks:
            assert not chunk
    # Without hints each line would take up to a second; the median of ten tells that hints were heard.
    assert sorted(delays)[5] < 0.2


def test_the_connection_is_made_again(sqlite_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        master, port = _Master(), free_port()
        async with serving(sqlite_url, tmp_path, f"ws://127.0.0.1:{port}") as served:
            client = await served.user(Role.OPERATOR)
            for attempt in range(2):
                # The first connections are refused: the service tries again.
                master.served = None
                async with FrameServer("127.0.0.1", port, master.admit, {"/control": master.serve}):
                    master.was_connected.clear()
                    assert (await client.post("/projects/example/jobs/hello/trigger")).status_code == 201
                    master.served = served
                    await asyncio.wait_for(master.was_connected.wait(), DEADLINE)
                    await _until_ready(served)
                    run = (await client.post("/projects/example/jobs/hello/trigger")).json()
                    assert await master.hear() == RunTriggered(run["identifier"]), attempt

    asyncio.run(scenario())


def test_nonsense_from_a_master_harms_nobody(sqlite_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        master, port = _Master(), free_port()
        async with serving(sqlite_url, tmp_path, f"ws://127.0.0.1:{port}") as served:
            master.served = served
            async with _listening(master, port):
                for nonsense in (b"\xff\xff", b"", b"\x90", b"x" * 100_000):
                    await _until_ready(served)
                    for connection in list(master.connections):
                        await connection.send_frame(nonsense)
                assert (await served.anonymous.get("/health")).status_code == 200
                await _until_ready(served)

    asyncio.run(scenario())
