"""The HTTP server of the website: uvicorn, started and stopped by the application instead of by signals."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from job_orchestra.domain.errors import Unavailable

_BACKLOG = 1024
_GRACE = 3
"""Seconds that answers under way have when the website stops."""


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
        raise Unavailable(f"The website cannot listen on {address}:{port}: {reason}.") from None
    return listener


async def serve(application: ASGIApp, listener: socket.socket, stopping: asyncio.Event) -> None:
    """Serves until the event is set; then lets answers under way end, for a while."""
    server = _Server(
        uvicorn.Config(
            application,
            http="httptools",
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
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE,
        )
    )
    serving = asyncio.create_task(server.serve([listener]))
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the business of whoever runs the application."""
        yield
