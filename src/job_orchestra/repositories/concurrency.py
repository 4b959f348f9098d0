"""Concurrency groups as the database has them: how large they are, and which runs hold their slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from job_orchestra.domain.concurrency import DEFAULT_LIMIT, ConcurrencyGroup, GroupInUse, Limits
from job_orchestra.repositories.conditions import equal, find_everything, find_one
from job_orchestra.repositories.rows.columns import json_object, text
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.storage.port import Condition, Find, Operator, Order, Row, Storage
from job_orchestra.storage.schema import PROJECTS, RUNS

_BY_SLOT = (Order("concurrency_slot"),)


@dataclass(frozen=True, slots=True)
class SlotsInUse:
    limits: Limits
    holders: Mapping[str, str]
    """The run that holds a slot, by slot."""


class Concurrency:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def in_use(self) -> SlotsInUse:
        """Of all groups: there are as many holders as slots at most."""
        limits: dict[ConcurrencyGroup, int] = {}
        for row in await find_everything(self._storage, Find(PROJECTS.name, (), (Order("identifier"),))):
            limits |= _limits(row)
        held = Condition("concurrency_slot", Operator.GREATER, "")
        rows = await find_everything(self._storage, Find(RUNS.name, (held,), _BY_SLOT))
        return SlotsInUse(limits, {text(row, "concurrency_slot"): text(row, "identifier") for row in rows})

    async def of(self, group: ConcurrencyGroup) -> GroupInUse:
        project = await find_one(self._storage, Find(PROJECTS.name, (equal("identifier", group.project),)))
        limits = {} if project is None else _limits(project)
        # All that begins with its name and a slash; in ASCII, "0" is next behind the slash.
        bounds = (
            Condition("concurrency_slot", Operator.GREATER, f"{group}/"),
            Condition("concurrency_slot", Operator.LESS, f"{group}0"),
        )
        rows = await find_everything(self._storage, Find(RUNS.name, bounds, _BY_SLOT))
        return GroupInUse(group, limits.get(group, DEFAULT_LIMIT), tuple(map(run_from_row, rows)))


def _limits(row: Row) -> dict[ConcurrencyGroup, int]:
    """Those of one project, also of one that is no longer configured: its runs may be waiting still.

    Nothing else of its settings is read, which another version of the program may have written.
    """
    project, limits = text(row, "identifier"), json_object(row, "settings").get("concurrency")
    if not isinstance(limits, dict):
        return {}
    return {ConcurrencyGroup(project, name): limit for name, limit in limits.items() if isinstance(limit, int)}
