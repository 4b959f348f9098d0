"""The HTTP server of service and website: uvicorn, started and stopped by the application instead of by signals."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from job_orchestra.protocol.listening import BACKLOG, Listener

_KEEP_ALIVE = 75
_HEAD = 10.0
"""Seconds that a connection has for the head of its request."""
_BODY = 60.0
"""And then for the rest of it."""
_TICK = 1.0


@dataclass(frozen=True, slots=True)
class MalformedAnswer:
    """What is answered, with status 400, to bytes that are no HTTP request: those reach no application."""

    headers: Sequence[tuple[bytes, bytes]]
    """With the length of the content."""
    content: bytes

    def encoded(self) -> bytes:
        headers = (*self.headers, (b"connection", b"close"))
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in headers)]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.content


async def serve(
    app: Callable[[Any, Any, Any], Awaitable[None]],
    listener: Listener,
    stop: asyncio.Event,
    *,
    malformed: MalformedAnswer,
    grace: int,
) -> None:
    """Serves the ASGI application until `stop` is set; then answers under way have `grace` seconds to end."""
    stopping = asyncio.create_task(stop.wait())
    lost = asyncio.Event()
    server = _Server(
        uvicorn.Config(
            app,
            http=_http_with(malformed, listener, lost),
            ws="none",
            lifespan="off",
            loop="none",
            interface="asgi3",
            log_config=None,
            # Requests that fail are logged by the dispatch; what uvicorn says of them adds nothing.
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=grace,
        ),
        stopping,
        lost,
    )
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
    await serving


def _http_with(malformed: MalformedAnswer, listener: Listener, lost_event: asyncio.Event) -> type[HttpToolsProtocol]:
    class Http(_PunctualHttp):
        room = listener
        lost = lost_event

        def send_400_response(self, msg: str) -> None:
            self.transport.write(malformed.encoded())
            self.transport.close()

    return Http


class _PunctualHttp(HttpToolsProtocol):
    """Closed when no request comes, or none that is whole. Who has asked may read for as long as there is an answer."""

    room: Listener
    lost: asyncio.Event
    """Set when one of the server's connections is gone."""
    _is_idle = True
    """No request is under way."""
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.room.note_waiting(transport)
        self._expect(_HEAD)

    def data_received(self, data: bytes) -> None:
        if self._is_idle and self._due is None:
            # What comes has ended the wait between two requests, but need not be one.
            self._expect(_HEAD)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._is_idle = False
        self.room.note_busy(self.transport)
        self._expect(_BODY)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._expect_nothing()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._is_idle = self.cycle.response_complete
        if self._is_idle:
            self.room.note_waiting(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.room.note_busy(self.transport)
        self._expect_nothing()
        super().connection_lost(exc)
        self.lost.set()

    def _expect(self, seconds: float) -> None:
        self._expect_nothing()
        self._due = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _expect_nothing(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


class _Server(uvicorn.Server):
    """Stops when it is told to: uvicorn looks ten times a second, and then pauses once more."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Task[bool], lost: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._lost = lost

    async def main_loop(self) -> None:
        """A tick renews the date in the headers of answers."""
        while not (self._stopping.done() or await self.on_tick(0)):
            await asyncio.wait({self._stopping}, timeout=_TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Nobody is let in any more, and answers under way have the configured time."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                await self._all_ended()
        except TimeoutError:
            for answering in self.server_state.tasks:
                answering.cancel()

    async def _all_ended(self) -> None:
        while self.server_state.connections:
            self._lost.clear()
            await self._lost.wait()
        while self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks)
        for server in self.servers:
            await server.wait_closed()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the business of whoever runs the application."""
        yield
