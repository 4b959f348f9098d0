"""Whether the service can do what it is for: read from its database, and write to it."""

from __future__ import annotations

import asyncio

from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.projects import Projects

_INTERVAL = 1.0
"""Seconds for which one successful write speaks for the next one: whoever asks often causes no load."""


class Readiness:
    def __init__(self, projects: Projects, accounts: Accounts) -> None:
        self._projects = projects
        self._accounts = accounts
        self._written_at: float | None = None

    async def check(self) -> None:
        """Unavailable if a trigger would be answered so now. Writes what each connection to a master begins with."""
        await self._projects.list(limit=1)
        loop = asyncio.get_running_loop()
        if self._written_at is None or loop.time() - self._written_at > _INTERVAL:
            self._written_at = None
            began = loop.time()
            await self._accounts.create_control_token()
            self._written_at = began
