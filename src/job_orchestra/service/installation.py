"""What a service can tell of the installation that it is a part of: itself, the database, the disk of the logs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.administration import DatabaseAnswer, LogStorageAnswer
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.storage.port import StorageAdministration

_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    administration: StorageAdministration | None = None
    settings: Mapping[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    """By section, without secrets."""


class Installation:
    def __init__(self, facts: InstallationFacts, started_at: datetime, log_disk_watch: LogDiskWatch | None) -> None:
        self.settings = facts.settings
        self.started_at = started_at
        self._administration = facts.administration
        self._log_disk_watch = log_disk_watch
        self._asking: asyncio.Future[DatabaseAnswer] | None = None

    async def database(self) -> DatabaseAnswer | None:
        """None if it does not answer in time; who asks meanwhile shares the one question."""
        if self._administration is None:
            return None
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(asyncio.to_thread(_described, self._administration))
        try:
            async with asyncio.timeout(_TIMEOUT):
                return await asyncio.shield(self._asking)
        except (Unavailable, TimeoutError):
            return None

    async def logs(self) -> LogStorageAnswer | None:
        watch = self._log_disk_watch
        if watch is None:
            return None
        room = await watch.room()
        free, total = (None, None) if room is None else (room.free, room.total)
        return LogStorageAnswer(watch.place, free, total, watch.reasons)


def _described(administration: StorageAdministration) -> DatabaseAnswer:
    description = administration.describe()
    stored, _ = administration.versions()
    return DatabaseAnswer(description.product, description.size, stored or "", list(administration.warnings()))
