"""The HTTP server of service and website: uvicorn, started and stopped by the application instead of by signals."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from job_orchestra.domain.errors import Unavailable

_BACKLOG = 2048
_KEEP_ALIVE = 75


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


def listen(address: str, port: int) -> socket.socket:
    """Unavailable, with the system's reason, if the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # The protocol has to be named: asyncio switches off Nagle's delay of 40 ms only where it stands.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Unavailable(f"Cannot listen on {address}:{port}: {reason}.") from None
    listener.setblocking(False)
    return listener


async def serve(
    app: Callable[[Any, Any, Any], Awaitable[None]],
    listener: socket.socket,
    stop: asyncio.Event,
    *,
    malformed: MalformedAnswer,
    grace: int,
) -> None:
    """Serves the ASGI application until `stop` is set; then answers under way have `grace` seconds to end."""
    server = _Server(
        uvicorn.Config(
            app,
            http=_http_with(malformed),
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
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=grace,
        )
    )
    serving = asyncio.create_task(server.serve([listener]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
    await serving


def _http_with(malformed: MalformedAnswer) -> type[HttpToolsProtocol]:
    class Http(HttpToolsProtocol):
        def send_400_response(self, msg: str) -> None:
            self.transport.write(malformed.encoded())
            self.transport.close()

    return Http


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the business of whoever runs the application."""
        yield
