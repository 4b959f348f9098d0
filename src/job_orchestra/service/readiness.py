"""Whether the service can do what it is for: read from its database, write to it, and read logs."""

from __future__ import annotations

import asyncio

from job_orchestra.domain.errors import Unavailable
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.repositories.projects import Projects

_INTERVAL = 1.0
"""Seconds for which one successful write speaks for the next one: whoever asks often causes no load."""

_TIMEOUT = 3.0
"""Who asks whether the service is ready wants to know soon, and asks again."""
_TOO_LATE = f"no answer for {_TIMEOUT:g} seconds."


class Readiness:
    def __init__(self, projects: Projects, accounts: Accounts, log_disk_watch: LogDiskWatch | None) -> None:
        self._projects = projects
        self._accounts = accounts
        self._log_disk_watch = log_disk_watch
        self._written_at: float | None = None

    async def waiting_for(self) -> list[str]:
        """What the service cannot do without and does not get now, in sentences; empty if it is ready."""
        return [*await self._database_reasons(), *(f"logs: {reason}" for reason in self.log_outages)]

    @property
    def log_outages(self) -> list[str]:
        """Why logs can be neither stored nor, perhaps, read now, in sentences; empty if they can."""
        return [] if self._log_disk_watch is None else self._log_disk_watch.reasons

    async def _database_reasons(self) -> list[str]:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._check_database()
        except (Unavailable, TimeoutError) as error:
            return [f"database: {error.message if isinstance(error, Unavailable) else _TOO_LATE}"]
        return []

    async def _check_database(self) -> None:
        """Unavailable if a trigger would be answered so now. Writes what each connection to a master begins with."""
        await self._projects.list(limit=1)
        loop = asyncio.get_running_loop()
        if self._written_at is None or loop.time() - self._written_at > _INTERVAL:
            self._written_at = None
            began = loop.time()
            await self._accounts.create_control_token()
            self._written_at = began
