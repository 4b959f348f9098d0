"""What workers report of runs, as the master stores it. Sets facts only."""

from __future__ import annotations

from collections.abc import Sequence

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import advance
from job_orchestra.repositories.conditions import equal, find_one, has_facts
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.rows.events import event_to_row
from job_orchestra.repositories.rows.runs import queue_place, run_facts
from job_orchestra.storage.port import Batch, Condition, Find, Insert, Row, Storage, Update
from job_orchestra.storage.schema import EVENTS, RUNS


class RunProgress:
    def __init__(self, storage: Storage, clock: Clock, result_index: ResultIndex | None = None) -> None:
        self._storage = storage
        self._clock = clock
        self._result_index = result_index or ResultIndex(storage, clock)

    async def save(
        self, before: Run, after: Run, events: Sequence[EventRecord], provided: Update | None = None
    ) -> bool:
        """The facts that changed and the events, in one commit, which fails if what it is provided with does not match.

        True as well if this very change was committed before, and its answer lost; False if the stored run is neither
        as `before` nor as `after`. Events that are stored already are harmless. Conflict if the run had ended.

        An `after` that waits for its next attempt is saved only while nobody asked to stop the run.
        """
        update, inserts = _update(before, after), _inserts(before, events, ignore_duplicate=True)
        # Hints of the index come before the run that they lead to, and are harmless if it stays as it is. What it is
        # provided with is asked before the run is changed: not every database takes back what came before.
        hints = await self._result_index.rows_of(before, after)
        asked = () if provided is None else (provided,)
        outcome = await self._storage.write(Batch((*hints, *asked, update, *inserts)))
        return outcome.is_applied or await self._is_stored(after)

    async def write_journal(self, before: Run, after: Run, events: Sequence[EventRecord]) -> bool:
        """As `save`, where several may have something else to tell: who inserts the next event first has decided.

        False as well if this very change was committed before, and its answer lost. If the process dies meanwhile,
        events may be stored that the run has not followed yet: they count, and the run is to be made to follow.
        """
        hints = await self._result_index.rows_of(before, after)
        inserts = _inserts(before, events, ignore_duplicate=False)
        outcome = await self._storage.write(Batch((*hints, *inserts, _update(before, after))))
        return outcome.is_applied

    async def _is_stored(self, run: Run) -> bool:
        where = (equal("identifier", run.identifier), equal("attempt", run.attempt))
        return has_facts(await find_one(self._storage, Find(RUNS.name, where)), run_facts(run))


def _update(before: Run, after: Run) -> Update:
    if before.status.is_terminal:
        advance(before.status, after.status)
    where: tuple[Condition, ...] = (
        equal("identifier", before.identifier),
        equal("attempt", before.attempt),
        equal("status", before.status.value),
        equal("journal_sequence", before.journal_sequence),
        equal("log_size", before.log.size),
    )
    if after.attempt != before.attempt:
        where = (*where, equal("should_cancel", False), equal("should_abort", False))
    return Update(RUNS.name, where, _changes(before, after))


def _inserts(run: Run, events: Sequence[EventRecord], *, ignore_duplicate: bool) -> list[Insert]:
    rows = (event_to_row(run.identifier, run.attempt, event) for event in events)
    return [Insert(EVENTS.name, row, ignore_duplicate=ignore_duplicate) for row in rows]


def _changes(before: Run, after: Run) -> Row:
    old, new = run_facts(before), run_facts(after)
    changes = {column: value for column, value in new.items() if value != old[column]}
    if after.results is not before.results:
        changes["results"] = after.results  # that are equal in Python, they may differ: true and 1
    if after.attempt != before.attempt:
        changes |= {"attempt": after.attempt, **queue_place(after)}
    # Only events that are known already: the update is then a mere check that the run is as it was.
    return changes or {"journal_sequence": after.journal_sequence}
