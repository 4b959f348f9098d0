"""Projects, and the master's application of the configuration to projects, jobs and schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.projects import Project
from job_orchestra.repositories.conditions import ATTEMPTS, Contended, equal, find_everything, find_one
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.jobs import job_changes, job_to_row
from job_orchestra.repositories.rows.projects import project_changes, project_from_row, project_to_row
from job_orchestra.repositories.rows.schedules import schedule_changes, schedule_to_row, timetable_change
from job_orchestra.storage.port import Batch, Condition, Find, Insert, Operation, Order, Row, Storage, Update, Value
from job_orchestra.storage.schema import JOBS, PROJECTS, SCHEDULES, Collection

_OPERATIONS_AT_ONCE = 500


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

    async def apply(self, projects: Sequence[ConfiguredProject]) -> None:
        """Makes the stored configuration this one.

        What is new is inserted, what changed is updated, what is gone becomes inactive and stays readable. The users'
        switches are kept. Applying it again, or by several masters at once, changes nothing more.
        """
        for _ in range(ATTEMPTS):
            if await self._apply_once(projects):
                return
        raise Contended("The configuration")

    async def _apply_once(self, projects: Sequence[ConfiguredProject]) -> bool:
        now = self._clock.now()
        operations: list[Operation] = []
        for collection, wanted in _wanted(projects, now).items():
            order = tuple(Order(column) for column in _KEYS[collection].key)
            stored = await find_everything(self._storage, Find(collection, (), order))
            operations += _differences(_KEYS[collection], wanted, stored)
        for start in range(0, len(operations), _OPERATIONS_AT_ONCE):
            outcome = await self._storage.write(Batch(tuple(operations[start : start + _OPERATIONS_AT_ONCE])))
            if not outcome.is_applied:
                # Another master has just inserted the same: look again at what there is now.
                return False
        return True


_KEYS: Mapping[str, Collection] = {collection.name: collection for collection in (PROJECTS, JOBS, SCHEDULES)}

_Key = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    row: Row
    """If it is new."""
    changes: Row
    """If it is known already."""


def _wanted(projects: Sequence[ConfiguredProject], now: datetime) -> dict[str, dict[_Key, _Wanted]]:
    wanted: dict[str, dict[_Key, _Wanted]] = {name: {} for name in _KEYS}
    for project in projects:
        own = project.identifier
        wanted[PROJECTS.name][own,] = _Wanted(
            project_to_row(own, project.settings, now), project_changes(project.settings, now)
        )
        for job in project.jobs:
            wanted[JOBS.name][own, job.identifier] = _Wanted(
                job_to_row(own, job.identifier, job.settings, now), job_changes(job.settings, now)
            )
        for schedule in project.schedules:
            wanted[SCHEDULES.name][own, schedule.identifier] = _Wanted(
                schedule_to_row(own, schedule.identifier, schedule.settings, now),
                schedule_changes(schedule.settings, now),
            )
    return wanted


def _differences(collection: Collection, wanted: Mapping[_Key, _Wanted], stored: Sequence[Row]) -> Iterator[Operation]:
    by_key = {tuple(row[column] for column in collection.key): row for row in stored}
    for key, one in wanted.items():
        known = by_key.get(key)
        if known is None:
            yield Insert(collection.name, one.row)
        elif known["settings"] != one.changes["settings"] or not known["is_active"]:
            changes = one.changes
            if collection is SCHEDULES:
                changes = {**changes, **timetable_change(known, changes)}
            yield Update(collection.name, _where(collection, key), changes)
    for key, known in by_key.items():
        if key not in wanted and known["is_active"]:
            yield Update(collection.name, _where(collection, key), {"is_active": False})


def _where(collection: Collection, key: _Key) -> tuple[Condition, ...]:
    return tuple(equal(column, value) for column, value in zip(collection.key, key, strict=True))
