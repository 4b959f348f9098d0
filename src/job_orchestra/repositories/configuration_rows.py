"""The configuration as rows: which there should be, and how those that there are differ from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.configuration_changes import ChangeKind, Thing
from job_orchestra.domain.json import is_same
from job_orchestra.repositories.conditions import equal
from job_orchestra.repositories.rows.columns import json_object
from job_orchestra.repositories.rows.jobs import job_changes, job_to_row
from job_orchestra.repositories.rows.projects import project_changes, project_to_row
from job_orchestra.repositories.rows.schedules import schedule_changes, schedule_to_row, timetable_change
from job_orchestra.storage.port import Insert, Operation, Row, Update, Value
from job_orchestra.storage.schema import JOBS, PROJECTS, SCHEDULES, Collection

COLLECTIONS: Mapping[Thing, Collection] = {Thing.PROJECT: PROJECTS, Thing.JOB: JOBS, Thing.SCHEDULE: SCHEDULES}
"""What is named by others comes before them."""

Key = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class WantedRow:
    row: Row
    """If it is new."""
    changes: Row
    """If it is known already."""


@dataclass(frozen=True, slots=True)
class RowChange:
    kind: ChangeKind
    thing: Thing
    key: Key
    stored: Row | None
    wanted: WantedRow | None

    @property
    def operation(self) -> Operation:
        collection = COLLECTIONS[self.thing]
        if self.kind is ChangeKind.ADDED and self.wanted is not None:
            return Insert(collection.name, self.wanted.row)
        where = tuple(equal(column, value) for column, value in zip(collection.key, self.key, strict=True))
        return Update(collection.name, where, self._changes)

    @property
    def _changes(self) -> Row:
        if self.wanted is None:
            return {"is_active": False}
        if self.thing is Thing.SCHEDULE and self.stored is not None:
            return {**self.wanted.changes, **timetable_change(self.stored, self.wanted.changes)}
        return self.wanted.changes


def wanted_rows(projects: Sequence[ConfiguredProject], now: datetime) -> dict[Thing, dict[Key, WantedRow]]:
    wanted: dict[Thing, dict[Key, WantedRow]] = {thing: {} for thing in COLLECTIONS}
    for project in projects:
        own = project.identifier
        wanted[Thing.PROJECT][own,] = WantedRow(
            project_to_row(own, project.settings, now), project_changes(project.settings, now)
        )
        for job in project.jobs:
            wanted[Thing.JOB][own, job.identifier] = WantedRow(
                job_to_row(own, job.identifier, job.settings, now), job_changes(job.settings, now)
            )
        for schedule in project.schedules:
            wanted[Thing.SCHEDULE][own, schedule.identifier] = WantedRow(
                schedule_to_row(own, schedule.identifier, schedule.settings, now),
                schedule_changes(schedule.settings, now),
            )
    return wanted


def row_changes(
    wanted: Mapping[Thing, Mapping[Key, WantedRow]], stored: Mapping[Thing, Sequence[Row]]
) -> list[RowChange]:
    """In an order in which whoever reads in between finds what others name: it comes before them, and goes after."""
    added: list[RowChange] = []
    removed: list[RowChange] = []
    for thing, collection in COLLECTIONS.items():
        by_key = {tuple(row[column] for column in collection.key): row for row in stored[thing]}
        added += _wanted_changes(thing, wanted[thing], by_key)
        for key, row in by_key.items():
            if key not in wanted[thing] and row["is_active"]:
                removed.append(RowChange(ChangeKind.REMOVED, thing, key, row, None))
    return [*added, *reversed(removed)]


def _wanted_changes(thing: Thing, wanted: Mapping[Key, WantedRow], by_key: Mapping[Key, Row]) -> Iterator[RowChange]:
    for key, one in wanted.items():
        known = by_key.get(key)
        if known is None:
            yield RowChange(ChangeKind.ADDED, thing, key, None, one)
        elif not known["is_active"]:
            yield RowChange(ChangeKind.BACK, thing, key, known, one)
        elif not is_same(json_object(known, "settings"), json_object(one.changes, "settings")):
            yield RowChange(ChangeKind.CHANGED, thing, key, known, one)
