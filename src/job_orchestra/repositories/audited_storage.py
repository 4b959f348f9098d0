"""What an action writes takes the action's entry in the audit trail along.

Where a batch is one commit, the entry is in it: nothing is changed without it, and it costs no commit of its own. Where
it is not (MongoDB), the entry is written at the same time beside it, and both are waited for. Either way, the entry is
durable before anybody is told that the action took place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from job_orchestra.domain.audit import AuditEntry
from job_orchestra.domain.json import JsonObject
from job_orchestra.repositories.rows.audit import entry_end, entry_to_row
from job_orchestra.repositories.rows.columns import text
from job_orchestra.storage.port import (
    Batch,
    Condition,
    Count,
    Delete,
    Find,
    Insert,
    Operation,
    Operator,
    Outcome,
    Row,
    Storage,
    Update,
)
from job_orchestra.storage.schema import AUDIT, RUNS, TOKENS, USERS

_MADE = {RUNS.name: "run", USERS.name: "user", TOKENS.name: "token"}
"""What is told of that was made, by collection."""


class AuditedAction:
    """One that goes on, with its entry as it would be if it came to a good end now."""

    def __init__(self, entry: AuditEntry) -> None:
        self.entry = entry
        self.is_recorded = False
        """Whether the entry is stored as it is."""
        self.has_made = False
        """Whether the stored entry names something that was made, so that it is true however the rest goes."""
        self._is_under_way = False
        self._may_be_there = False
        self._further = 0

    def entry_with(self, batch: Batch) -> AuditEntry | None:
        """What is to be stored with the batch, if anything: each thing that is made is told of."""
        made = _made(batch.operations)
        if not self.is_recorded and not self._is_under_way:
            self._is_under_way = True
            return replace(self.entry, details={**self.entry.details, "made": made}) if made else self.entry
        if not made:
            return None
        self._further += 1
        identifier = f"{self.entry.identifier}.{self._further}"
        return replace(self.entry, identifier=identifier, details={**self.entry.details, "made": made})

    def operations(self, entry: AuditEntry) -> list[Operation]:
        """That store the entry, whatever an earlier attempt has left of it."""
        insert = Insert(AUDIT.name, entry_to_row(entry), ignore_duplicate=True)
        is_first, self._may_be_there = not self._may_be_there, True
        if is_first:
            return [insert]
        key = (Condition("identifier", Operator.EQUAL, entry.identifier),)
        return [insert, Update(AUDIT.name, key, entry_end(entry), optional=True)]

    def note(self, entry: AuditEntry, is_applied: bool) -> None:
        """What came of storing it with a batch."""
        if entry.identifier == self.entry.identifier:
            self._is_under_way = False
        if is_applied:
            self.is_recorded = True
            self.has_made = self.has_made or "made" in entry.details


_current: ContextVar[AuditedAction | None] = ContextVar("audited action", default=None)


@contextmanager
def acting(action: AuditedAction) -> Generator[None]:
    """What is written within takes the entry along."""
    token = _current.set(action)
    try:
        yield
    finally:
        _current.reset(token)


class AuditedStorage:
    """Implements `storage.port.Storage` over another one."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def commits_batches_whole(self) -> bool:
        return self._storage.commits_batches_whole

    async def find(self, query: Find) -> list[Row]:
        return await self._storage.find(query)

    async def find_all(self, queries: Sequence[Find]) -> list[list[Row]]:
        return await self._storage.find_all(queries)

    async def count(self, query: Count) -> int:
        return await self._storage.count(query)

    async def write(self, batch: Batch) -> Outcome:
        action = _current.get()
        entry = action.entry_with(batch) if action is not None and batch.operations else None
        if action is None or entry is None:
            return await self._storage.write(batch)
        outcome = Outcome(failed_at=0)
        try:
            outcome = await self._write_both(batch, action.operations(entry))
        finally:
            action.note(entry, outcome.is_applied)
        is_told_for_nothing = not outcome.is_applied and not self._storage.commits_batches_whole
        if is_told_for_nothing and entry.identifier != action.entry.identifier:
            await self._take_back(entry)  # how the first entry ends is told at the end of the action
        return outcome

    async def _write_both(self, batch: Batch, operations: Sequence[Operation]) -> Outcome:
        if self._storage.commits_batches_whole:
            outcome = await self._storage.write(Batch((*batch.operations, *operations)))
            return replace(outcome, rows=outcome.rows[: len(batch.operations)])
        outcome, _ = await asyncio.gather(self._storage.write(batch), self._storage.write(Batch(tuple(operations))))
        return outcome

    async def _take_back(self, entry: AuditEntry) -> None:
        key = (Condition("identifier", Operator.EQUAL, entry.identifier),)
        await self._storage.write(Batch((Delete(AUDIT.name, key),)))

    async def close(self) -> None:
        await self._storage.close()


def _made(operations: Sequence[Operation]) -> JsonObject:
    return {
        _MADE[one.collection]: text(one.row, "identifier")
        for one in operations
        if isinstance(one, Insert) and one.collection in _MADE and not one.ignore_duplicate
    }
