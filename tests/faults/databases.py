"""The databases of a storm, and what they suffer."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Protocol

from tests.faults.plan import Act, Victim
from tests.servers import Server


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
    """Any but SQLite, which has none."""

    def __init__(self, victim: Victim, server: Server) -> None:
        self.victim = victim
        self._server = server
        self.url = server.new_database_url()
        self._means = {
            Act.KILL: (server.kill, server.start),
            Act.TERMINATE: (server.stop, server.start),
            Act.STOP: (server.pause, server.resume),
        }

    async def suffer(self, act: Act, pause: float) -> None:
        end, begin = self._means[act]
        await asyncio.to_thread(end)
        try:
            await asyncio.sleep(pause)
        finally:
            await asyncio.to_thread(begin)
