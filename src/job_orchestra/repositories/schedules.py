"""Schedules: as configured by the master, switched by users."""

from __future__ import annotations

import builtins

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.schedules import Schedule
from job_orchestra.repositories.conditions import equal, find_everything, find_one
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.schedules import schedule_from_row
from job_orchestra.storage.port import Batch, Find, Order, Row, Storage, Update
from job_orchestra.storage.schema import SCHEDULES

_KEY_ORDER = (Order("project"), Order("identifier"))


class Schedules:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[Row, Schedule]] = {}
        """What `all` answered last."""

    async def list(
        self, project: str, limit: int = LIMIT, cursor: str | None = None, descending: bool = False
    ) -> Listed[Schedule]:
        """By identifier; those that the configuration no longer has are among them."""
        order = (Order("identifier", descending),)
        query = Find(SCHEDULES.name, (equal("project", project),), order, limit=limit)
        return await list_page(self._storage, query, cursor, schedule_from_row)

    async def all(self) -> builtins.list[Schedule]:
        """Of all projects. One that has not changed since the last call is the same object."""
        rows = await find_everything(self._storage, Find(SCHEDULES.name, (), _KEY_ORDER))
        before, self._known = self._known, {}
        for row in rows:
            key = (text(row, "project"), text(row, "identifier"))
            known = before.get(key)
            if known is None or known[0] != row:
                known = (row, schedule_from_row(row))
            self._known[key] = known
        return [schedule for _, schedule in self._known.values()]

    async def get(self, project: str, schedule: str) -> Schedule:
        """NotFound if the project has no such schedule."""
        query = Find(SCHEDULES.name, (equal("project", project), equal("identifier", schedule)))
        row = await find_one(self._storage, query)
        if row is None:
            raise NotFound("schedule", f"{project}/{schedule}")
        return schedule_from_row(row)

    async def set_enabled(self, project: str, schedule: str, is_enabled: bool) -> Schedule:
        """NotFound if the project has no such schedule."""
        where = (equal("project", project), equal("identifier", schedule), equal("is_enabled", not is_enabled))
        changes: Row = {"is_enabled": is_enabled}
        if is_enabled:
            changes = {**changes, "enabled_at": to_microseconds(self._clock.now())}
        await self._storage.write(Batch((Update(SCHEDULES.name, where, changes),)))
        return await self.get(project, schedule)
