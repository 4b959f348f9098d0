"""Tells everybody in the master, and the services, that a run has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from job_orchestra.domain.runs import Run
from job_orchestra.master.services import ServiceLinks
from job_orchestra.protocol.control import RunChanged

Listener: TypeAlias = Callable[[Run], None]


class RunNews:
    """Of what this master committed; what others did is found by looking."""

    def __init__(self, services: ServiceLinks) -> None:
        self._services = services
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Called with each run as it is now, right after it was committed."""
        self._listeners.append(listener)

    def tell(self, run: Run) -> None:
        self._services.tell(RunChanged(run.request.project, run.identifier, run.status.is_terminal))
        for listener in self._listeners:
            listener(run)
