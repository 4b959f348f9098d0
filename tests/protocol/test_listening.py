"""The servers under more connections than they may have, and under those that ask for nothing, or never to the end."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from job_orchestra.protocol import http_server
from job_orchestra.protocol.connection import FrameConnection, FrameServer
from job_orchestra.protocol.http_server import MalformedAnswer, serve
from job_orchestra.protocol.listening import listen

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_DEADLINE = 20.0
_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """/follow never ends; whatever else reads its body and says so."""
    request = Request(scope, receive)

    async def lines() -> AsyncGenerator[bytes]:
        yield b"first line\n"
        await asyncio.Event().wait()

    response: Response
    if request.url.path == "/follow":
        response = StreamingResponse(lines())
    else:
        response = PlainTextResponse(f"{len(await request.body())} bytes")
    await response(scope, receive, send)


@asynccontextmanager
async def _serving(most: int) -> AsyncGenerator[int]:
    listener = listen("127.0.0.1", 0, most)
    stop = asyncio.Event()
    task = asyncio.create_task(serve(_app, listener, stop, malformed=MalformedAnswer((), b""), grace=1))
    try:
        async with asyncio.timeout(_DEADLINE):
            yield listener.getsockname()[1]
    finally:
        stop.set()
        await task


async def _open(port: int, said: bytes = b"") -> Stream:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    return reader, writer


async def _follow(port: int) -> Stream:
    reader, writer = await _open(port, b"GET /follow HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"first line\n")
    return reader, writer


async def _ask(port: int) -> bytes:
    reader, writer = await _open(port, _HEAD + b"Connection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


async def _end_of(stream: Stream) -> None:
    """Until the other side has closed, in whichever way."""
    with suppress(ConnectionError):
        await stream[0].read()
    stream[1].close()


def test_who_waits_longest_makes_room_for_others(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with _serving(most=3) as port:
            following = await _follow(port)
            silent = [await _open(port, _HEAD) for _ in range(20)]
            assert (await _ask(port)).endswith(b"0 bytes")
            for stream in silent[:-2]:
                await _end_of(stream)
            assert not following[0].at_eof()
            for _, writer in (following, *silent):
                writer.close()

    asyncio.run(scenario())
    (warning,) = [record.getMessage() for record in caplog.records if "closed to make room" in record.getMessage()]
    assert warning.startswith("There are 3 connections")


def test_who_is_served_stays_and_a_newcomer_goes() -> None:
    async def scenario() -> None:
        async with _serving(most=2) as port:
            streams = [await _follow(port) for _ in range(2)]
            await _end_of(await _open(port, _HEAD))
            assert not any(reader.at_eof() for reader, _ in streams)
            streams.pop()[1].close()
            answer = b""
            while not answer.endswith(b"0 bytes"):  # until the server has seen that one is gone
                answer = await _ask_anyhow(port)
            streams.pop()[1].close()

    asyncio.run(scenario())


async def _ask_anyhow(port: int) -> bytes:
    """Nothing where it was not let in."""
    with suppress(ConnectionError):
        return await _ask(port)
    return b""


@pytest.mark.parametrize(
    "said",
    [b"", _HEAD, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", _HEAD + b"\r\n\r\n"],
    ids=["nothing", "half a head", "half a body", "a request and a line behind it"],
)
def test_who_does_not_come_to_the_end_of_a_request_is_not_waited_for(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "_HEAD", 0.1)
    monkeypatch.setattr(http_server, "_BODY", 0.1)

    async def scenario() -> None:
        async with _serving(most=10) as port:
            following = await _follow(port)
            stream = await _open(port, said)
            if said.endswith(b"\r\n\r\n"):
                await stream[0].readuntil(b"0 bytes")
                stream[1].write(b"\r\n")
            await _end_of(stream)
            assert not following[0].at_eof()
            following[1].close()

    asyncio.run(scenario())


def test_who_is_only_listened_to_is_asked_whether_it_is_there() -> None:
    with listen("127.0.0.1", 0, 1) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
            assert listener.count == 1
        assert listener.count == 0


def test_who_never_asks_a_master_makes_room_for_others() -> None:
    async def admit(_path: str, _authorization: str | None) -> object:
        return "somebody"

    async def handle(connection: FrameConnection, _who: object) -> None:
        raise AssertionError("nobody speaks WebSocket here")

    async def scenario() -> None:
        async with asyncio.timeout(_DEADLINE), FrameServer("127.0.0.1", 0, admit, {"/worker": handle}, 3) as server:
            silent = [await _open(server.port, _HEAD) for _ in range(20)]
            for _ in range(3):
                reader, writer = await _open(server.port, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await reader.read()).endswith(b"alive\n")
                writer.close()
            for stream in silent[:-2]:
                await _end_of(stream)
            for _, writer in silent:
                writer.close()

    asyncio.run(scenario())


_EXHAUSTED = """
import asyncio, resource
from tests.protocol.test_listening import _app
from job_orchestra.protocol.http_server import MalformedAnswer, serve
from job_orchestra.protocol.listening import listen

async def main():
    listener = listen("127.0.0.1", 0, 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    print(listener.getsockname()[1], flush=True)
    await serve(_app, listener, asyncio.Event(), malformed=MalformedAnswer((), b""), grace=1)

asyncio.run(main())
"""


def test_a_lack_of_descriptors_shuts_nobody_out_and_fills_no_log() -> None:
    async def scenario(port: int) -> None:
        async with asyncio.timeout(_DEADLINE):
            silent = [await _open(port) for _ in range(200)]
            assert (await _ask(port)).endswith(b"0 bytes")
            busy = [await _open(port, b"GET /follow HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(200)]
            for _, writer in (*silent, *busy[:-1]):
                writer.close()
            answer = b""
            while not answer.endswith(b"0 bytes"):
                answer = await _ask_anyhow(port)
            busy[-1][1].close()

    with subprocess.Popen(
        [sys.executable, "-c", _EXHAUSTED],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            asyncio.run(scenario(int(process.stdout.readline())))
        finally:
            process.kill()
        said = process.stderr.read()
    assert said.count("\n") == 1, said
    assert "closed to make room" in said
