"""What may stand between a worker and its master: a proxy of bytes that hangs or cuts, a proxy of frames that errs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_PIECE = 1 << 14


@dataclass(eq=False)
class Way:
    """One direction of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_open: asyncio.Event
    left: int | None
    """Bytes until the connection is cut, if it is to be."""


@dataclass
class TcpProxy:
    """Bytes in both directions; `up` is from the worker to the master."""

    target: int
    port: int = 0
    connections: int = 0
    cut_after: int | None = None
    """New connections are cut, within whatever is on its way, behind so many bytes of one direction."""
    _ways: dict[str, list[Way]] = field(default_factory=lambda: {"up": [], "down": []})

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def hang(self, *directions: str) -> None:
        """The connections that there are stay open, and nothing comes through any more."""
        for direction in directions:
            for way in self._ways[direction]:
                way.is_open.clear()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            self.connections += 1
            ways = {
                "up": Way(reader, far_writer, asyncio.Event(), self.cut_after),
                "down": Way(far_reader, writer, asyncio.Event(), self.cut_after),
            }
            for direction, way in ways.items():
                way.is_open.set()
                self._ways[direction].append(way)
            moving = [asyncio.create_task(_move(way)) for way in ways.values()]
            try:
                await asyncio.wait(moving, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in moving:
                    task.cancel()
                for one in (writer, far_writer):
                    one.transport.abort()
                for direction, way in ways.items():
                    self._ways[direction].remove(way)


async def _move(way: Way) -> None:
    with suppress(ConnectionError):
        while data := await way.reader.read(_PIECE):
            await way.is_open.wait()
            if way.left is not None:
                data = data[: way.left]
                way.left -= len(data)
            way.writer.write(data)
            await way.writer.drain()
            if way.left == 0:
                return


@asynccontextmanager
async def tcp_proxy(target: int) -> AsyncGenerator[TcpProxy]:
    proxy = TcpProxy(target)
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    proxy.port = int(server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            if getattr(task.get_coro(), "__qualname__", "") == "TcpProxy.take":
                task.cancel()
        await asyncio.sleep(0)


@dataclass
class BrokenProxy:
    """Of frames: it loses, repeats, holds back and exchanges some of them, and keeps the connection."""

    target: int
    chance: random.Random
    wrongness: float
    """How often something is done to a frame."""
    port: int = 0
    done: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def take(self, near: ServerConnection) -> None:
        assert near.request is not None
        headers = {"Authorization": near.request.headers["Authorization"]}
        url = f"ws://127.0.0.1:{self.target}{near.request.path}"
        with suppress(ConnectionClosed, OSError):
            async with connect(url, additional_headers=headers, max_size=None, proxy=None) as far:
                moving = [asyncio.create_task(self._move(one, other)) for one, other in ((near, far), (far, near))]
                try:
                    await asyncio.wait(moving, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in moving:
                        task.cancel()

    async def _move(self, one: Connection, other: Connection) -> None:
        held: list[bytes | str] = []
        with suppress(ConnectionClosed):
            async for frame in one:
                for each in self._err(frame, held):
                    await other.send(each)

    def _err(self, frame: bytes | str, held: list[bytes | str]) -> list[bytes | str]:
        if self.chance.random() >= self.wrongness:
            frames = [frame, *held]
            held.clear()
            return frames
        deed = self.chance.choice(("lost", "repeated", "held back"))
        self.done[deed] = self.done.get(deed, 0) + 1
        match deed:
            case "lost":
                return []
            case "repeated":
                return [frame, frame]
            case _:
                held.append(frame)
                return []


@asynccontextmanager
async def broken_proxy(target: int, chance: random.Random, wrongness: float) -> AsyncGenerator[BrokenProxy]:
    proxy = BrokenProxy(target, chance, wrongness)
    async with serve(proxy.take, "127.0.0.1", 0, max_size=None, compression=None) as server:
        proxy.port = int(next(iter(server.sockets)).getsockname()[1])
        yield proxy
