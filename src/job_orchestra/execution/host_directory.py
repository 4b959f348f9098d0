"""Where an executor host is found: `<worker directory>/hosts/<name>/` with its socket, identity and own output.

Each host has a directory of its own, which stays while it lives: the next one takes no socket away from it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from job_orchestra.execution.process_identity import ProcessIdentity, identity_from_data

HOSTS = "hosts"
_OF_ONE = "~"
_LAST_WORDS = 4096
_BACKLOG = 64


@dataclass(frozen=True, slots=True)
class HostDirectory:
    path: Path

    @classmethod
    def fresh(cls, hosts: Path, kind: str) -> Self:
        """For a host that is to be started; whoever wants what it does for runs looks for hosts of that kind."""
        return cls(hosts / f"{kind}{_OF_ONE}{secrets.token_hex(4)}")

    @property
    def kind(self) -> str:
        """Also of the hosts of earlier versions, which had one directory for all of a kind."""
        return self.path.name.partition(_OF_ONE)[0]

    @property
    def identity(self) -> Path:
        return self.path / "identity.json"

    @property
    def output(self) -> Path:
        """What the host itself says, such as the traceback of a fault in it."""
        return self.path / "output"

    def read_identity(self) -> ProcessIdentity | None:
        """None as long as the host has not written it."""
        try:
            return identity_from_data(json.loads(self.identity.read_bytes()))
        except (OSError, ValueError):
            return None

    def last_words(self) -> str:
        """The end of its output; empty if it said nothing."""
        try:
            with self.output.open("rb") as file:
                file.seek(max(0, self.output.stat().st_size - _LAST_WORDS))
                return file.read(_LAST_WORDS).decode(errors="replace").strip()
        except OSError:
            return ""

    def listen(self) -> socket.socket:
        """A fresh socket in the place of what is left of a host that did not come to life."""
        (self.path / "socket").unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _short(self.path) as directory:
            listener.bind(f"{directory}/socket")
        listener.listen(_BACKLOG)
        return listener

    def connect(self) -> socket.socket:
        """OSError if nobody listens there, or a host that is stopped has too many connections waiting."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            with _short(self.path) as directory:
                connection.connect(f"{directory}/socket")
        except OSError:
            connection.close()
            raise
        connection.setblocking(True)
        return connection


@contextmanager
def _short(directory: Path) -> Generator[str]:
    """A name of the directory that fits into the 108 bytes that the kernel has for a socket's path."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
