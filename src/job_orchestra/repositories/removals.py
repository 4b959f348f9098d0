"""Removing runs for good. First it is written down that a run goes, then its row goes, then all that belonged to it.

So nobody ever sees half a run, and what is interrupted anywhere is found and finished by whoever comes next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from job_orchestra.domain.statuses import TERMINAL
from job_orchestra.repositories.conditions import among, equal
from job_orchestra.repositories.rows.columns import integer, text
from job_orchestra.storage.port import Batch, Condition, Delete, Find, Insert, Order, Row, Storage
from job_orchestra.storage.schema import EVENTS, LATE_EVENTS, LATE_REPORTS, REMOVALS, RUN_VALUES, RUNS


@dataclass(frozen=True, slots=True)
class Removal:
    """A run whose row goes, or is gone; what else there is of it is found by these."""

    run: str
    project: str
    attempt: int
    """The last one; each may have a log."""


class Removals:
    """Each step may be repeated, and done by several at once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def unfinished(self, limit: int) -> list[Removal]:
        rows = await self._storage.find(Find(REMOVALS.name, (), (Order("run"),), limit=limit))
        return [Removal(text(row, "run"), text(row, "project"), integer(row, "attempt")) for row in rows]

    async def begin(self, removals: Sequence[Removal]) -> None:
        """It is written down that these go."""
        inserts = (Insert(REMOVALS.name, _to_row(removal), ignore_duplicate=True) for removal in removals)
        await self._storage.write(Batch(tuple(inserts)))

    async def settle(self, removals: Sequence[Removal]) -> list[Removal]:
        """The rows go, and these are those whose row is gone; one that was pinned in the meantime stays as it is."""
        named = _named("identifier", removals)
        ended = among("status", TERMINAL)
        await self._storage.write(Batch((Delete(RUNS.name, (named, ended, equal("is_pinned", False))),)))
        found = await self._storage.find(Find(RUNS.name, (named,), (Order("identifier"),), limit=len(removals)))
        staying = {text(row, "identifier") for row in found}
        if staying:
            await self._storage.write(Batch((Delete(REMOVALS.name, (among("run", sorted(staying)),)),)))
        return [removal for removal in removals if removal.run not in staying]

    async def finish(self, removals: Sequence[Removal]) -> None:
        """All other records go, and in the end that these were going; their logs have to be gone already."""
        named = _named("run", removals)
        collections = (EVENTS, RUN_VALUES, LATE_EVENTS, LATE_REPORTS, REMOVALS)
        await self._storage.write(Batch(tuple(Delete(collection.name, (named,)) for collection in collections)))


def _named(column: str, removals: Sequence[Removal]) -> Condition:
    return among(column, [removal.run for removal in removals])


def _to_row(removal: Removal) -> Row:
    return {"run": removal.run, "project": removal.project, "attempt": removal.attempt}
