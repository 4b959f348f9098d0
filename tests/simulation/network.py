"""Connections in memory: ordered as TCP is, until they break; a broken proxy may do worse.

The real `FrameConnection` numbers the frames of the real codec over them; what takes the place of the `FrameServer`
serves them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, cast

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosedError

from job_orchestra.domain.errors import OrchestraError, Unavailable
from job_orchestra.protocol.connection import Admit, ConnectionLost, FrameConnection, FrameServer, Serve
from tests.simulation.world import Process, World

_LATENCY = 0.02
_OPEN_TIMEOUT = 10.0
_PING_TIMEOUT = 15.0
"""After which the real connections notice that the other side is gone without a word."""
_ORDER = 1e-6


class End:
    """One side of a connection, held by one process; has the place of the WebSocket library's."""

    def __init__(self, wire: Wire, process: Process, name: str) -> None:
        self._wire = wire
        self.process = process
        self.name = name
        self.on_sent: Callable[[End, bytes], None] | None = None
        self.is_over = False
        self.last = 0.0
        """When the frame arrives here that comes last so far."""
        self._received: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._pings: list[asyncio.Future[float]] = []

    async def ping(self) -> asyncio.Future[float]:
        """What is done when the other side has answered."""
        self.process.check_alive()
        if self.is_over:
            raise ConnectionClosedError(None, None)
        answered: asyncio.Future[float] = self._wire.world.loop.create_future()
        self._pings.append(answered)
        self._wire.carry_ping(self, answered)
        return answered

    async def send(self, message: bytes) -> None:
        self.process.check_alive()
        if self.is_over:
            raise ConnectionClosedError(None, None)
        if self.on_sent is not None:
            self.on_sent(self, message)
        self._wire.carry(self, message)
        if self._wire.world.happens(0.05):
            await asyncio.sleep(self._wire.world.chance.random())  # the other side is slow

    async def recv(self) -> bytes:
        while not self._received:
            self.process.check_alive()
            if self.is_over:
                raise ConnectionClosedError(None, None)
            self._waiter = self._wire.world.loop.create_future()
            await self._waiter
        self.process.check_alive()
        return self._received.popleft()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self.process.is_alive and not self.is_over:
            if reason:
                self._wire.world.say(self.name, f"closes: {reason}")
            self._wire.close(self)
            await asyncio.sleep(0)

    def take(self, frame: bytes) -> None:
        """A frame arrives."""
        if not self.is_over:
            self._received.append(frame)
            self._wake()

    def lose(self) -> None:
        """Nothing more comes or goes; what has arrived can still be received."""
        self.is_over = True
        for answered in self._pings:
            if not answered.done():
                answered.set_exception(ConnectionClosedError(None, None))
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@asynccontextmanager
async def speaking(end: End) -> AsyncGenerator[FrameConnection]:
    """The real numbering of frames over it."""
    frames = FrameConnection(cast("Connection", end))
    task = asyncio.create_task(frames.break_silence())
    try:
        yield frames
    finally:
        task.cancel()
        await frames.close()


class Wire:
    """What is between the two ends."""

    def __init__(self, world: World, network: Network, client: Process, server: Process, name: str) -> None:
        self.world = world
        self.client = End(self, client, f"{name} (client)")
        self.server = End(self, server, f"{name} (server)")
        self.name = name
        self._network = network
        self._is_broken = False
        self._is_proxy_broken = network.has_broken_proxy and world.happens(0.5)
        self._stalled_until = 0.0
        for process in (client, server):
            process.on_death.append(self.cut)

    def carry(self, sender: End, frame: bytes) -> None:
        receiver = self._other(sender)
        for _ in range(self._copies()):
            moment = max(receiver.last, self.world.now + self.world.chance.random() * _LATENCY, self._stalled_until)
            moment += _ORDER
            if self._is_proxy_broken and self.world.happens(0.05):
                moment += 0.1  # overtaken by what follows
            else:
                receiver.last = moment
            self.world.loop.call_at(moment, self._arrive, receiver, frame)

    def carry_ping(self, sender: End, answered: asyncio.Future[float]) -> None:
        """There and back, past a broken proxy: it is the business of the WebSocket."""

        def come_back() -> None:
            if not (self._is_broken or answered.done()):
                answered.set_result(0.0)

        def arrive() -> None:
            receiver = self._other(sender)
            if not (self._is_broken or receiver.is_over) and receiver.process.is_alive:
                self.world.loop.call_at(self._soon(), come_back)

        self.world.loop.call_at(self._soon(), arrive)

    def _soon(self) -> float:
        return max(self.world.now + self.world.chance.random() * _LATENCY, self._stalled_until) + _ORDER

    def _copies(self) -> int:
        if not (self._is_proxy_broken and self.world.is_troubled):
            return 1
        return self.world.chance.choices([0, 1, 2], [1, 30, 2])[0]

    def _arrive(self, receiver: End, frame: bytes) -> None:
        if not self._is_broken:
            receiver.take(frame)

    def close(self, end: End) -> None:
        """In order: what was sent before still arrives."""
        end.lose()
        other = self._other(end)
        moment = max(other.last, self.world.now + self.world.chance.random() * _LATENCY, self._stalled_until) + _ORDER
        self.world.loop.call_at(moment, self._arrive_end, other)

    def _arrive_end(self, end: End) -> None:
        end.lose()
        self._network.forget(self)

    def cut(self) -> None:
        """What is on its way is lost; each end learns of it in its own time. May be called twice."""
        if self._is_broken:
            return
        self._is_broken = True
        self._network.forget(self)
        if not (self.client.is_over and self.server.is_over):
            self.world.say("network", f"{self.name} breaks")
        longest = _PING_TIMEOUT if self.world.happens(0.2) else 0.3
        self.world.soon(self.client.lose, longest)
        self.world.soon(self.server.lose, longest)

    def stall(self, seconds: float) -> None:
        """Nothing gets through for a while; it is all delivered afterwards, unless somebody has given up by then."""
        self._stalled_until = self.world.now + seconds

    def _other(self, end: End) -> End:
        return self.server if end is self.client else self.client


class Server(FrameServer):
    """Takes the place of the listening socket of one master."""

    def __init__(self, network: Network, process: Process, admit: Admit, handlers: Mapping[str, Serve]) -> None:
        self._network = network
        self.process = process
        self._admit_one = admit
        self._serve_by_path = handlers
        self._serving: list[tuple[Wire, asyncio.Task[None]]] = []

    @property
    def port(self) -> int:
        return 5901

    async def __aenter__(self) -> Self:
        self._network.listen(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._network.stop_listening(self)
        for wire, _ in self._serving:
            await wire.server.close()
        if self._serving:
            await asyncio.wait([task for _, task in self._serving])

    async def receive(self, path: str, authorization: str, wire: Wire, opened: asyncio.Future[None]) -> None:
        """The handshake, and then the conversation; a task of the server's process."""
        try:
            who = await self._admit_one(path, authorization)
        except OrchestraError as error:
            refusal = ConnectionLost(error.message) if isinstance(error, Unavailable) else error
            if not opened.done():
                opened.set_exception(refusal)
            return
        if opened.done():
            return
        opened.set_result(None)
        task = asyncio.create_task(self._serve(path, wire, who))
        self._serving.append((wire, task))

    async def _serve(self, path: str, wire: Wire, who: object) -> None:
        try:
            async with speaking(wire.server) as frames:
                await self._serve_by_path[path](frames, who)
        except Exception as error:  # the real server logs it and closes the connection
            wire.world.violate(f"P10: a connection of the master fails: {error!r}")


class Network:
    def __init__(self, world: World) -> None:
        self._world = world
        self._servers: dict[str, Server] = {}
        """By the name of their master."""
        self._wires: list[Wire] = []
        self.has_broken_proxy = world.chance.random() < 0.3
        self.on_sent_by_master: Callable[[End, bytes], None] | None = None
        """Hears of every frame to a worker."""

    def listen(self, server: Server) -> None:
        self._servers[server.process.application] = server

    def stop_listening(self, server: Server) -> None:
        if self._servers.get(server.process.application) is server:
            del self._servers[server.process.application]

    def forget(self, wire: Wire) -> None:
        if wire in self._wires:
            self._wires.remove(wire)

    @property
    def wires(self) -> list[Wire]:
        """The connections that there are."""
        return self._wires

    def heal(self) -> None:
        """What was swallowed before is to be noticed by the two ends."""
        for wire in self._wires:
            wire.stall(0.0)

    @asynccontextmanager
    async def connect(
        self, process: Process, path: str, authorization: str, master: str
    ) -> AsyncGenerator[FrameConnection]:
        """Takes the place of `open_connection`."""
        wire = await self._open(process, path, authorization, master)
        async with speaking(wire.client) as frames:
            yield frames

    async def _open(self, process: Process, path: str, authorization: str, master: str) -> Wire:
        await asyncio.sleep(self._world.chance.random() * _LATENCY)
        server = self._servers.get(master)
        if server is None or not server.process.is_alive:
            raise ConnectionLost(f"Master {master} does not answer (simulated).")
        wire = Wire(self._world, self, process, server.process, f"{process.name}-{server.process.name}")
        if path == "/worker":
            wire.server.on_sent = self.on_sent_by_master
        opened: asyncio.Future[None] = self._world.loop.create_future()
        server.process.start(server.receive(path, authorization, wire, opened))
        try:
            await asyncio.wait_for(opened, _OPEN_TIMEOUT)
        except TimeoutError:
            raise ConnectionLost("The master does not answer in time (simulated).") from None
        self._wires.append(wire)
        return wire
