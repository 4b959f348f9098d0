"""Jobs: as configured by the master, switched by users."""

from __future__ import annotations

from collections.abc import Iterable

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.jobs import Job
from job_orchestra.repositories.conditions import among, equal, find_everything, find_one
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.jobs import job_from_row
from job_orchestra.storage.port import Batch, Find, Order, Storage, Update
from job_orchestra.storage.schema import JOBS

_ORDER = (Order("project"), Order("identifier"))


class Jobs:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def list(
        self, project: str, limit: int = LIMIT, cursor: str | None = None, descending: bool = False
    ) -> Listed[Job]:
        """By identifier; those that the configuration no longer has are among them."""
        order = (Order("identifier", descending),)
        query = Find(JOBS.name, (equal("project", project),), order, limit=limit)
        return await list_page(self._storage, query, cursor, job_from_row)

    async def get(self, project: str, job: str) -> Job:
        """NotFound if the project has no such job."""
        query = Find(JOBS.name, (equal("project", project), equal("identifier", job)))
        row = await find_one(self._storage, query)
        if row is None:
            raise NotFound("job", f"{project}/{job}")
        return job_from_row(row)

    async def named(self, project: str, jobs: Iterable[str]) -> dict[str, Job]:
        """Those of them that the project has, by identifier."""
        where = (equal("project", project), among("identifier", sorted(set(jobs))))
        rows = await find_everything(self._storage, Find(JOBS.name, where, (Order("identifier"),)))
        return {job.identifier: job for job in map(job_from_row, rows)}

    async def set_enabled(self, project: str, job: str, is_enabled: bool) -> Job:
        """NotFound if the project has no such job."""
        where = (equal("project", project), equal("identifier", job))
        await self._storage.write(Batch((Update(JOBS.name, where, {"is_enabled": is_enabled}),)))
        return await self.get(project, job)

    async def disabled(self) -> set[tuple[str, str]]:
        """Project and identifier of all jobs of which no run may start now: switched off, or no longer configured."""
        queries = [Find(JOBS.name, (equal(column, False),), _ORDER) for column in ("is_enabled", "is_active")]
        return {
            (text(row, "project"), text(row, "identifier"))
            for query in queries
            for row in await find_everything(self._storage, query)
        }
