"""Schedules: as configured by the master, switched by users."""

from __future__ import annotations

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.schedules import Schedule
from job_orchestra.repositories.conditions import equal, find_one
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.schedules import schedule_from_row
from job_orchestra.storage.port import Batch, Find, Order, Storage, Update
from job_orchestra.storage.schema import SCHEDULES


class Schedules:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def list(
        self, project: str, limit: int = LIMIT, cursor: str | None = None, descending: bool = False
    ) -> Listed[Schedule]:
        """By identifier; those that the configuration no longer has are among them."""
        order = (Order("identifier", descending),)
        query = Find(SCHEDULES.name, (equal("project", project),), order, limit=limit)
        return await list_page(self._storage, query, cursor, schedule_from_row)

    async def get(self, project: str, schedule: str) -> Schedule:
        """NotFound if the project has no such schedule."""
        query = Find(SCHEDULES.name, (equal("project", project), equal("identifier", schedule)))
        row = await find_one(self._storage, query)
        if row is None:
            raise NotFound("schedule", f"{project}/{schedule}")
        return schedule_from_row(row)

    async def set_enabled(self, project: str, schedule: str, is_enabled: bool) -> Schedule:
        """NotFound if the project has no such schedule."""
        where = (equal("project", project), equal("identifier", schedule))
        await self._storage.write(Batch((Update(SCHEDULES.name, where, {"is_enabled": is_enabled}),)))
        return await self.get(project, schedule)
