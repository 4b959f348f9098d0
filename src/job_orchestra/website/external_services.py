"""Whether what people need beside us is well: looked at in the background, shown as it was last found."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from job_orchestra.domain.clock import Clock

_logger = logging.getLogger(__name__)

_BETWEEN_LOOKS = 30.0
_PATIENCE = 10.0
"""Seconds that a service has to answer."""
_LONGEST = 200


class ExternalService(Protocol):
    @property
    def name(self) -> str:
        """For people."""
        ...

    async def flaw(self) -> str:
        """What is wrong with it, in a few words; empty if it is well. What it raises counts as a flaw."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    name: str
    is_well: bool | None = None
    """None before the first look."""
    flaw: str = ""
    since: str | None = None
    """When it was first found so, in ISO 8601."""


class ExternalServices:
    """Each is looked at by one task, one look after the other; no page waits for any of them."""

    def __init__(self, services: Sequence[ExternalService], clock: Clock) -> None:
        self._services = services
        self._clock = clock
        self._statuses = {service.name: ServiceStatus(service.name) for service in services}

    @property
    def statuses(self) -> tuple[ServiceStatus, ...]:
        return tuple(self._statuses.values())

    async def watch(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        await asyncio.gather(*(self._watch(service, stop) for service in self._services))

    async def _watch(self, service: ExternalService, stop: asyncio.Event) -> None:
        while not stop.is_set():
            flaw = await _flaw_of(service)
            before = self._statuses[service.name]
            after = found(before, flaw, self._clock.now())
            self._statuses[service.name] = after
            if after.is_well != before.is_well and (flaw or before.is_well is not None):
                _logger.info("The external service %s %s.", service.name, flaw or "is well again")
            try:
                async with asyncio.timeout(_BETWEEN_LOOKS):
                    await stop.wait()
            except TimeoutError:
                continue


def found(before: ServiceStatus, flaw: str, now: datetime) -> ServiceStatus:
    """The status after a look that came to this."""
    is_well = not flaw
    return replace(
        before,
        is_well=is_well,
        flaw=flaw,
        since=before.since if is_well is before.is_well else now.isoformat(timespec="milliseconds"),
    )


async def _flaw_of(service: ExternalService) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            flaw = await service.flaw()
    except TimeoutError:
        flaw = f"does not answer within {_PATIENCE:.0f} seconds"
    except Exception as error:  # the look may be a user's code; whatever it raises is told, and looked at again
        _logger.debug("The look at the external service %s failed", service.name, exc_info=error)
        flaw = f"cannot be looked at: {type(error).__name__}"
    return flaw[:_LONGEST]
