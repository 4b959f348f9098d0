"""The configuration of a master: applied at its start and when it is asked to, whole or not at all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.configuration_changes import summary
from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.master.outage import Outage
from job_orchestra.master.services import ServiceLinks
from job_orchestra.protocol.control import ConfigurationTrouble
from job_orchestra.repositories.projects import Projects

_logger = logging.getLogger(__name__)

_BETWEEN_LOOKS = 60.0

ReadProjects = Callable[[], Awaitable[Sequence[ConfiguredProject]]]


class Configuration:
    """What is in the database counts, whoever applied it. A mistake leaves that, and is told to log and services."""

    def __init__(
        self, projects: Projects, read_anew: ReadProjects, services: ServiceLinks, outage: Outage, clock: Clock
    ) -> None:
        """`read_anew` picks up what has changed in files; Invalid with every mistake."""
        self._projects = projects
        self._read_anew = read_anew
        self._services = services
        self._outage = outage
        self._own: Sequence[ConfiguredProject] = ()
        self._clock = clock
        self._is_asked = asyncio.Event()
        self.trouble = ""
        """Why what the master has in its files does not count; empty if it does."""
        self.applied_at: datetime | None = None
        """When this master did so last."""

    async def begin_with(self, configured: Sequence[ConfiguredProject]) -> None:
        """Applies what the master was started with."""
        self._own = configured
        await self._outage.outlast(lambda: self._projects.apply(configured))
        self.applied_at = self._clock.now()

    def ask(self) -> None:
        """Has it read anew and applied."""
        self._is_asked.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                async with asyncio.timeout(_BETWEEN_LOOKS):
                    await self._is_asked.wait()
            except TimeoutError:
                await self._compare()
            else:
                self._is_asked.clear()
                await self._apply_anew()

    async def _apply_anew(self) -> None:
        try:
            configured = await self._read_anew()
            changes = await self._outage.outlast(lambda: self._projects.plan(configured))
            await self._outage.outlast(lambda: self._projects.apply(configured))
        except (Invalid, Conflict, OSError) as error:
            self._tell(f"The configuration was not applied, and the one before counts: {error}")
            return
        self._own = configured
        self.applied_at = self._clock.now()
        self._tell("")
        _logger.info("The configuration was applied: %s.", summary(changes))

    async def _compare(self) -> None:
        """Whether somebody else has applied another one: another master, or a command on the host."""
        own = self._own
        if not await self._outage.outlast(lambda: self._projects.differs(own)):
            return
        try:
            read = await self._read_anew()
        except (Invalid, OSError):
            return  # Told to who asks for it to be applied.
        if changes := await self._outage.outlast(lambda: self._projects.plan(read)):
            self._tell(
                "Another configuration than this master's was applied, by another master or a command, and counts. "
                f"This master's would be: {summary(changes)}."
            )
        else:
            self._own = read
            self._tell("")

    def _tell(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._services.tell_also_later(ConfigurationTrouble(trouble))
            if trouble:
                _logger.error("%s", trouble)
