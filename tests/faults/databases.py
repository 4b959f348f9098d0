"""The databases of a storm, and what they suffer."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Protocol

from tests.faults.plan import Act, Victim
from tests.server_process import ServerProcess

_MEANS = {
    Act.KILL: (ServerProcess.kill, ServerProcess.start),
    Act.TERMINATE: (ServerProcess.stop, ServerProcess.start),
    Act.STOP: (ServerProcess.pause, ServerProcess.resume),
}


class Database(Protocol):
    @property
    def victim(self) -> Victim: ...

    @property
    def url(self) -> str: ...

    async def suffer(self, act: Act, pause: float) -> None: ...


class Sqlite:
    victim = Victim.SQLITE

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"sqlite:///{path}"

    async def suffer(self, act: Act, pause: float) -> None:
        """Nobody else can write meanwhile."""
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=10.0)
        try:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(pause)
            connection.execute("ROLLBACK")
        finally:
            connection.close()


class OnServer:
    """PostgreSQL, or MariaDB."""

    def __init__(self, victim: Victim, server: ServerProcess) -> None:
        self.victim = victim
        self._server = server
        self.url = server.new_database_url()

    async def suffer(self, act: Act, pause: float) -> None:
        end, begin = _MEANS[act]
        await asyncio.to_thread(end, self._server)
        try:
            await asyncio.sleep(pause)
        finally:
            await asyncio.to_thread(begin, self._server)
