"""Says now and then that this master is there, for whoever administers the installation."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NoReturn

from job_orchestra.domain.errors import Unavailable
from job_orchestra.master.configuration import Configuration
from job_orchestra.master.outage import Outage
from job_orchestra.repositories.masters import KnownMasters
from job_orchestra.version import __version__

_INTERVAL = 15.0
_PATIENCE = 1.0


class Presence:
    def __init__(
        self, identifier: str, url: str, masters: KnownMasters, configuration: Configuration, outage: Outage
    ) -> None:
        self._identifier = identifier
        self._url = url
        self._masters = masters
        self._configuration = configuration
        self._outage = outage

    async def run(self) -> NoReturn:
        """Until it is cancelled."""
        await self._outage.outlast(lambda: self._masters.announce(self._identifier, __version__, self._url))
        while True:
            await self._outage.outlast(self._renew)
            await asyncio.sleep(_INTERVAL)

    async def end(self) -> None:
        """It stops in order; nobody waits for a database to be told so."""
        if self._outage.reasons:
            return
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._masters.retire(self._identifier)

    async def _renew(self) -> None:
        configuration = self._configuration
        await self._masters.renew(self._identifier, configuration.applied_at, configuration.trouble)
