"""The audit trail: entries are added, never taken back, and removed when they are old."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from job_orchestra.domain.audit import AuditEntry, AuditOutcome
from job_orchestra.domain.identifiers import first_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.repositories.audited_storage import AuditedAction
from job_orchestra.repositories.conditions import equal, holds
from job_orchestra.repositories.paging import LIMIT, Listed, decode_cursor, encode_cursor, list_page
from job_orchestra.repositories.rows.audit import entry_from_row
from job_orchestra.repositories.rows.columns import text
from job_orchestra.storage.port import Batch, Condition, Delete, Find, Operator, Order, Row, Storage
from job_orchestra.storage.schema import AUDIT

MOST_LOOKED_THROUGH = 5000
"""Entries for one page where no index has all filters together; the next page goes on from there."""
_STRETCH = 500
_REMOVED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    user: str | None = None
    action: str | None = None
    project: str | None = None
    outcome: AuditOutcome | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    @property
    def along_index(self) -> tuple[Condition, ...]:
        """One column at most, the one that leaves least as a rule, and the dates."""
        return (*self._values()[:1], *self._dates())

    @property
    def rest(self) -> tuple[Condition, ...]:
        return self._values()[1:]

    def _values(self) -> tuple[Condition, ...]:
        given = {"user": self.user, "project": self.project, "action": self.action, "outcome": self.outcome}
        if self.outcome is not AuditOutcome.DONE:  # of which there are few
            given = {"outcome": self.outcome, **given}
        return tuple(equal(column, str(value)) for column, value in given.items() if value is not None)

    def _dates(self) -> Iterator[Condition]:
        if self.created_after is not None:
            yield Condition("identifier", Operator.GREATER_EQUAL, _first(self.created_after))
        if self.created_before is not None:
            yield Condition("identifier", Operator.LESS, _first(self.created_before))


class Audit:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def conclude(self, action: AuditedAction, outcome: AuditOutcome, status: int | None = None) -> None:
        """Durable when it returns: how the action ended, if that is not in the trail already."""
        if action.is_recorded and outcome is AuditOutcome.DONE:
            return
        if action.has_made:
            # What was made is there, and so is its entry; how the rest went is another one.
            action = AuditedAction(replace(action.entry, identifier=f"{action.entry.identifier}.end"))
        entry = replace(action.entry, outcome=outcome, status=status)
        await self._storage.write(Batch(tuple(action.operations(entry))))
        action.note(entry, is_applied=True)

    async def add(self, entry: AuditEntry) -> None:
        await self.conclude(AuditedAction(entry), entry.outcome, entry.status)

    async def list(
        self,
        wanted: AuditFilter = AuditFilter(),
        limit: int = LIMIT,
        cursor: str | None = None,
        newest_first: bool = True,
    ) -> Listed[AuditEntry]:
        """A page may be shorter than `limit` though `next` goes on: then it has looked at as many as it may."""
        query = Find(AUDIT.name, wanted.along_index, (Order("identifier", newest_first),), limit=limit)
        if not wanted.rest:
            return await list_page(self._storage, query, cursor, entry_from_row)
        query = replace(query, after=None if cursor is None else decode_cursor(cursor, query), limit=_STRETCH)
        found: list[AuditEntry] = []
        for _ in range(MOST_LOOKED_THROUGH // _STRETCH):
            rows = await self._storage.find(query)
            for row in rows:
                query = replace(query, after=(row["identifier"],))
                if _matches(row, wanted.rest):
                    found.append(entry_from_row(row))
                if len(found) == limit:
                    break
            if len(found) < limit and len(rows) < _STRETCH:
                return Listed(found, None)
            if len(found) == limit:
                break
        return Listed(found, encode_cursor(query.after or ()))

    async def prune(self, before: datetime) -> AsyncGenerator[int]:
        """Removes older entries a few at a time, and tells after each time how many are gone so far."""
        old = (Condition("identifier", Operator.LESS, _first(before)),)
        oldest = Find(AUDIT.name, old, (Order("identifier"),), limit=_REMOVED_AT_ONCE)
        removed = 0
        while rows := await self._storage.find(oldest):
            last = Condition("identifier", Operator.LESS_EQUAL, text(rows[-1], "identifier"))
            await self._storage.write(Batch((Delete(AUDIT.name, (last,)),)))
            removed += len(rows)
            yield removed


def _matches(row: Row, conditions: tuple[Condition, ...]) -> bool:
    return all(holds(one, row) for one in conditions)


def _first(date: datetime) -> str:
    """No entry of that time or later has a smaller identifier."""
    return first_run_identifier(max(to_microseconds(date) // 1000, 0))
