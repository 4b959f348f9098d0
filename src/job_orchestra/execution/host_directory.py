"""Where an executor host is found: `<worker directory>/hosts/<id>/` with its socket, identity and own output."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOSTS = "hosts"
_BACKLOG = 64


@dataclass(frozen=True, slots=True)
class HostDirectory:
    path: Path

    @property
    def identity(self) -> Path:
        return self.path / "identity.json"

    @property
    def output(self) -> Path:
        """What the host itself says, such as the traceback of a fault in it."""
        return self.path / "output"

    def listen(self) -> socket.socket:
        """A fresh socket in the place of whatever is left of an earlier one."""
        (self.path / "socket").unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _short(self.path) as directory:
            listener.bind(f"{directory}/socket")
        listener.listen(_BACKLOG)
        return listener

    def connect(self) -> socket.socket:
        """OSError if nobody listens there."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short(self.path) as directory:
                connection.connect(f"{directory}/socket")
        except OSError:
            connection.close()
            raise
        return connection


@contextmanager
def _short(directory: Path) -> Generator[str]:
    """A name of the directory that fits into the 108 bytes that the kernel has for a socket's path."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
