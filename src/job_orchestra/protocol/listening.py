"""The socket on which an application waits for others, with a bound: whoever comes next finds a descriptor."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
import time
from contextlib import suppress
from typing import Any

from job_orchestra.domain.errors import Unavailable

_logger = logging.getLogger(__name__)

BACKLOG = 2048
_MOST_CONNECTIONS = 10_000
_BETWEEN_WARNINGS = 60.0
_EXHAUSTED = {errno.EMFILE, errno.ENFILE}
_SILENCE, _BETWEEN_PROBES, _PROBES = 60, 15, 4
"""Seconds, seconds, and how many of them stay unanswered until a peer that says nothing counts as gone."""


def most_connections() -> int:
    """Half of the descriptors: the others are for the database, logs, and connections that requests cause."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(descriptors // 2, _MOST_CONNECTIONS) if descriptors > 0 else _MOST_CONNECTIONS


def listen(address: str, port: int, most: int | None = None) -> Listener:
    """Unavailable, with the system's reason, if the address cannot be listened on."""
    listener = Listener(socket.AF_INET6 if ":" in address else socket.AF_INET, most or most_connections())
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Unavailable(f"Cannot listen on {address}:{port}: {reason}.") from None
    listener.setblocking(False)
    return listener


class Listener(socket.socket):
    """Has at most so many connections at a time. For a new one, that which waits longest for a request has to go.

    Where all are busy the new one is closed. Given to an event loop, whose own treatment of a lack of descriptors (a
    traceback for each place in the backlog, once a second) never comes to pass.
    """

    def __init__(self, family: socket.AddressFamily, most: int) -> None:
        # The protocol has to be named: asyncio switches off Nagle's delay of 40 ms only where it stands.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # What is accepted inherits these: a peer that is only listened to, and gone, is noticed nowhere else.
        self.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _SILENCE)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _BETWEEN_PROBES)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
        self.count = 0
        """Connections that are open."""
        self._most = most
        self._waiting: dict[asyncio.BaseTransport, None] = {}
        self._spare: int | None = _open_spare()
        self._refused = 0
        self._warned_at: float | None = None

    def close(self) -> None:
        super().close()
        self._close_spare()

    # ---------- what the protocols of the connections tell

    def note_waiting(self, transport: asyncio.BaseTransport) -> None:
        """It waits for a request, and may be closed for others from now on."""
        if not transport.is_closing():
            self._waiting[transport] = None

    def note_busy(self, transport: asyncio.BaseTransport) -> None:
        """A request has come, or it is gone."""
        self._waiting.pop(transport, None)

    # ---------- what the event loop asks for

    def accept(self) -> tuple[socket.socket, Any]:
        """BlockingIOError, too, where room has to be made first: the loop comes back for who waits in its next turn."""
        if self.count >= self._most and self._make_room():
            raise BlockingIOError
        try:
            accepted, address = super().accept()
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            if not self._make_room():
                self._close_next()
            raise BlockingIOError from None
        if self.count >= self._most:
            accepted.close()
            self._warn()
            raise BlockingIOError
        return _Accepted(self, accepted), address

    def _make_room(self) -> bool:
        """False if no connection can be spared."""
        transport = next(iter(self._waiting), None)
        if transport is None:
            return False
        del self._waiting[transport]
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
        self._warn()
        return True

    def _close_next(self) -> None:
        """There is no descriptor left to accept with but the one that is kept for this."""
        self._close_spare()
        with suppress(OSError):  # if another thread took it: the loop comes back
            super().accept()[0].close()
        self._spare = _open_spare()
        self._warn()

    def _close_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def _warn(self) -> None:
        self._refused += 1
        now = time.monotonic()
        if self._warned_at is None or now - self._warned_at >= _BETWEEN_WARNINGS:
            _logger.warning(
                "There are %d connections, as many as descriptors allow: %d were closed to make room for others.",
                self.count, self._refused,
            )  # fmt: skip
            self._refused, self._warned_at = 0, now


class _Accepted(socket.socket):
    """Counts for its listener until it is closed."""

    def __init__(self, listener: Listener, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self._listener: Listener | None = listener
        listener.count += 1

    def close(self) -> None:
        super().close()
        if self._listener is not None:
            self._listener.count -= 1
            self._listener = None


def _open_spare() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
