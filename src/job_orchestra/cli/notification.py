"""Readiness, told to whoever started the process by datagrams on NOTIFY_SOCKET; systemd and `orchestra up` listen."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

ENDS_WITH = "ORCHESTRA_ENDS_WITH"
"""Names the process that an application is to stop with, should that die."""

READY = "X_ORCHESTRA_READY"
"""An application has what it needs; systemd knows no word for it that it would not wait for."""

_PR_SET_PDEATHSIG = 1


class Notifier:
    """Says nothing where nobody listens."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> Notifier:
        """Takes the variable out of the environment: it is not for the processes that this one starts."""
        return cls(environment.pop("NOTIFY_SOCKET", None))

    @property
    def has_listener(self) -> bool:
        return bool(self._address)

    def started(self, sentence: str) -> None:
        """For systemd the unit is up then: what it waits for is no matter of the host's start."""
        self._send(f"READY=1\nSTATUS={sentence}")

    def ready(self, sentence: str) -> None:
        self._send(f"{READY}=1\nSTATUS={sentence}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the NUL byte of Linux' abstract addresses.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(OSError):
            sender.connect(address)
            sender.send(message.encode())


class NotifySocket:
    """The listening side, for one child."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        path.unlink(missing_ok=True)
        self._socket.bind(str(path))

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> dict[str, str]:
        """One message; empty if there is none."""
        try:
            message = self._socket.recv(4096).decode(errors="replace")
        except BlockingIOError:
            return {}
        pairs = (line.partition("=") for line in message.splitlines())
        return {name: value for name, _, value in pairs}

    def close(self) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)


def stop_with_parent(environment: MutableMapping[str, str]) -> None:
    """Asks for SIGTERM when the process dies that `orchestra up` named; at once, if it is dead already."""
    parent = environment.pop(ENDS_WITH, "")
    if not parent.isdigit():
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGTERM)
