"""Projects, and the master's application of the configuration to projects, jobs and schedules."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Sequence
from dataclasses import dataclass

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.configuration_changes import Change, Circumstances, Thing, effects_of, field_changes
from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.projects import Project
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.conditions import ATTEMPTS, Contended, equal, find_everything, find_one
from job_orchestra.repositories.configuration_rows import COLLECTIONS, RowChange, row_changes, wanted_rows
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.columns import flag, json_object
from job_orchestra.repositories.rows.projects import project_from_row
from job_orchestra.storage.port import Batch, Count, Find, Order, Storage
from job_orchestra.storage.schema import JOBS, PROJECTS, RUNS, SCHEDULES


@dataclass(frozen=True, slots=True)
class ProjectOutline:
    project: Project
    jobs: int
    """That are configured now, as with schedules."""
    schedules: int


class Projects:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def list(self, limit: int = LIMIT, cursor: str | None = None, descending: bool = False) -> Listed[Project]:
        """By identifier; those that the configuration no longer has are among them."""
        query = Find(PROJECTS.name, (), (Order("identifier", descending),), limit=limit)
        return await list_page(self._storage, query, cursor, project_from_row)

    async def get(self, project: str) -> Project:
        """NotFound if there is none."""
        row = await find_one(self._storage, Find(PROJECTS.name, (equal("identifier", project),)))
        if row is None:
            raise NotFound("project", project)
        return project_from_row(row)

    async def outlines(self, limit: int) -> builtins.list[ProjectOutline]:
        """The first ones, each counted along its key."""
        projects = (await self.list(limit)).items
        where = [(equal("project", one.identifier), equal("is_active", True)) for one in projects]
        counts = await asyncio.gather(
            *(self._storage.count(Count(JOBS.name, one)) for one in where),
            *(self._storage.count(Count(SCHEDULES.name, one)) for one in where),
        )
        both = zip(projects, counts[: len(projects)], counts[len(projects) :], strict=True)
        return [ProjectOutline(project, jobs, schedules) for project, jobs, schedules in both]

    async def apply(self, projects: Sequence[ConfiguredProject]) -> None:
        """Makes the stored configuration this one, in one batch.

        What is new is inserted, what changed is updated, what is gone becomes inactive and stays readable. The users'
        switches are kept. Applying it again, or by several masters at once, changes nothing more; of two different ones
        the last stays whole. Where a batch is not one commit and the process dies within it, the next one that applies
        it does the rest.
        """
        for _ in range(ATTEMPTS):
            changes = await self._changes(projects)
            if not changes:
                return
            await self._storage.write(Batch(tuple(change.operation for change in changes)))
            # Whether applied or not, for another master may have inserted the same or changed more: what is there now?
        raise Contended("The configuration")

    async def plan(self, projects: Sequence[ConfiguredProject]) -> builtins.list[Change]:
        """What `apply` would change now."""
        return [await self._foreseen(change) for change in await self._changes(projects)]

    async def differs(self, projects: Sequence[ConfiguredProject]) -> bool:
        """Whether `apply` would change anything."""
        return bool(await self._changes(projects))

    async def _changes(self, projects: Sequence[ConfiguredProject]) -> builtins.list[RowChange]:
        stored = {
            thing: await find_everything(self._storage, Find(collection.name, (), tuple(map(Order, collection.key))))
            for thing, collection in COLLECTIONS.items()
        }
        return row_changes(wanted_rows(projects, self._clock.now()), stored)

    async def _foreseen(self, change: RowChange) -> Change:
        before = {} if change.stored is None else json_object(change.stored, "settings")
        after = {} if change.wanted is None else json_object(change.wanted.changes, "settings")
        return Change(
            kind=change.kind,
            thing=change.thing,
            identifier="/".join(map(str, change.key)),
            fields=field_changes(before, after) if before and after else (),
            effects=effects_of(change.kind, change.thing, before, after, await self._circumstances(change)),
        )

    async def _circumstances(self, change: RowChange) -> Circumstances:
        row = change.stored or (change.wanted.row if change.wanted else {})
        is_enabled = flag(row, "is_enabled") if "is_enabled" in row else True
        if change.thing is not Thing.JOB or change.stored is None:
            return Circumstances(is_enabled)
        project, job = change.key
        where = (equal("project", project), equal("job", job), equal("status", RunStatus.PENDING.value))
        return Circumstances(is_enabled, await self._storage.count(Count(RUNS.name, where)))
