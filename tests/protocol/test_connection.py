"""The server of frame connections, and what is left of those who do not speak its language."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from job_orchestra.protocol.connection import ConnectionLost, FrameConnection, FrameServer, open_connection
from tests.protocol.proxies import tcp_proxy


class Admitted:
    """Who was let in."""


def test_nothing_is_kept_of_who_was_let_in_and_speaks_plain_http() -> None:
    admitted: list[weakref.ref[Admitted]] = []

    async def admit(_path: str, _authorization: str | None) -> object:
        who = Admitted()
        admitted.append(weakref.ref(who))
        return who

    async def serve(_connection: FrameConnection, _who: object) -> None:
        raise AssertionError("nobody speaks WebSocket here")

    async def test() -> None:
        async with asyncio.timeout(20), FrameServer("127.0.0.1", 0, admit, {"/worker": serve}) as server:
            for _ in range(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(b"GET /worker HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = await reader.read()
                assert answer.startswith(b"HTTP/1.1 426 ")
                writer.close()
            while any(one() is not None for one in admitted):
                await asyncio.sleep(0.01)
                gc.collect()
        assert len(admitted) == 5

    asyncio.run(test())


def test_who_is_gone_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("job_orchestra.protocol.connection.PING_TIMEOUT", 0.1)

    async def admit(_path: str, _authorization: str | None) -> object:
        return None

    async def test() -> None:
        served: asyncio.Queue[FrameConnection] = asyncio.Queue()
        is_over = asyncio.Event()

        async def serve(connection: FrameConnection, _who: object) -> None:
            served.put_nowait(connection)
            await is_over.wait()

        async with (
            asyncio.timeout(20),
            FrameServer("127.0.0.1", 0, admit, {"/worker": serve}) as server,
            tcp_proxy(server.port) as proxy,
            open_connection(f"{proxy.url}/worker", "") as near,
        ):
            far = await served.get()
            await far.prove_alive()
            await near.prove_alive()
            proxy.hang("up")
            with pytest.raises(ConnectionLost, match=r"has not answered for 0\.1 seconds"):
                await far.prove_alive()
            is_over.set()

    asyncio.run(test())
