"""Pending runs as the master sees them: what waits, for whom, and who gets it. Sets facts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from job_orchestra.domain.attempts import next_attempt
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.reasons import Reason
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import ACTIVE, RunStatus, advance
from job_orchestra.repositories.conditions import among, equal, find_everything, find_one
from job_orchestra.repositories.rows.columns import optional_microseconds, text
from job_orchestra.repositories.rows.runs import WAITING_FOR_A_MOMENT, queue_place, readable_runs, run_facts
from job_orchestra.repositories.run_paths import everything_on, unfinished_of
from job_orchestra.storage.port import Batch, Condition, Find, Operator, Order, Row, Storage, Update
from job_orchestra.storage.schema import RUNS

_BY_IDENTIFIER = (Order("identifier"),)
_BY_WORKER = (Order("worker"), Order("identifier"))
_PENDING = equal("status", RunStatus.PENDING.value)
_RUNNING = equal("status", RunStatus.RUNNING.value)
_UNASSIGNED = equal("worker", None)
_IN_QUEUE = Condition("queue_key", Operator.GREATER, WAITING_FOR_A_MOMENT)


class RunQueue:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    # ---------- reading

    async def load(self, run: str) -> Run | None:
        row = await find_one(self._storage, Find(RUNS.name, (equal("identifier", run),)))
        found = readable_runs([] if row is None else [row])
        return found[0] if found else None

    async def load_many(self, runs: Sequence[str]) -> list[Run]:
        """Those of them that there are."""
        if not runs:
            return []
        query = Find(RUNS.name, (among("identifier", runs),), _BY_IDENTIFIER)
        return readable_runs(await find_everything(self._storage, query))

    async def groups(self) -> list[str]:
        """Queue keys of all pending runs that may be assigned: one short look at the index for each."""
        order = (Order("queue_key"), Order("urgency"), Order("identifier"))
        where: tuple[Condition, ...] = (_PENDING, _UNASSIGNED, _IN_QUEUE)
        keys: list[str] = []
        while row := await find_one(self._storage, Find(RUNS.name, where, order)):
            keys.append(text(row, "queue_key"))
            where = (_PENDING, _UNASSIGNED, Condition("queue_key", Operator.GREATER, keys[-1]))
        return keys

    async def head(self, queue_key: str, limit: int) -> list[Run]:
        """The next to be assigned of the group, those that can be read: the most urgent first, then the oldest."""
        where = (_PENDING, equal("queue_key", queue_key), _UNASSIGNED, equal("should_cancel", False))
        query = Find(RUNS.name, where, (Order("urgency"), Order("identifier")), limit=limit)
        runs: list[Run] = []
        while True:
            rows = await self._storage.find(query)
            runs += readable_runs(rows)
            if len(rows) < limit or len(runs) >= limit:
                return runs[:limit]
            query = replace(query, after=(rows[-1]["urgency"], rows[-1]["identifier"]))

    async def pending_since(self, identifier: str, limit: int) -> list[Run]:
        """Runs with greater identifiers that may be assigned, in their order."""
        where = (_PENDING, _UNASSIGNED, _IN_QUEUE, Condition("identifier", Operator.GREATER, identifier))
        return await self._find(Find(RUNS.name, where, _BY_IDENTIFIER, limit=limit))

    async def pending_before(self, identifier: str, limit: int) -> list[Run]:
        """Pending runs with smaller identifiers that no worker has ever been given: the oldest first.

        A run that was begun, or refused, waits since then, and its identifier tells when it was triggered. Those with
        an expiry of their own are none of them.
        """
        never_taken = (equal("attempt", 1), equal("expires_at", None))
        where = (_PENDING, _UNASSIGNED, *never_taken, Condition("identifier", Operator.LESS, identifier))
        return await self._find(Find(RUNS.name, where, _BY_IDENTIFIER, limit=limit))

    async def expired(self, limit: int) -> list[Run]:
        """Runs whose own expiry is over; who was taken in time has none any more."""
        now = optional_microseconds(self._clock.now())
        where = (Condition("expires_at", Operator.LESS_EQUAL, now),)
        return await self._find(Find(RUNS.name, where, (Order("expires_at"), Order("identifier")), limit=limit))

    async def delayed(self, limit: int) -> list[Run]:
        """Runs that wait for a moment before their next attempt, those first of which it comes first."""
        return await self.head(WAITING_FOR_A_MOMENT, limit)

    async def wished(self, limit: int) -> list[Run]:
        """Runs that users want stopped and that have not ended, pending ones first."""
        pages = await self._storage.find_all(
            [
                Find(RUNS.name, (_PENDING, equal("should_cancel", True)), _BY_IDENTIFIER, limit=limit),
                Find(RUNS.name, (_RUNNING, equal("should_abort", True)), _BY_IDENTIFIER, limit=limit),
            ]
        )
        return readable_runs(row for page in pages for row in page)[:limit]

    async def assigned_to(self, worker: str) -> list[Run]:
        """All runs of the worker that have not ended."""
        return readable_runs(await everything_on(self._storage, unfinished_of(worker)))

    async def assigned(self) -> list[Run]:
        """All runs that have a worker, which has not started them yet."""
        where = (_PENDING, Condition("worker", Operator.GREATER, ""))
        return readable_runs(await find_everything(self._storage, Find(RUNS.name, where, _BY_WORKER)))

    async def workers_with_runs(self) -> set[str]:
        """Those that runs are assigned to which have not ended: one short look at the index for each."""
        workers: set[str] = set()
        for status in ACTIVE:
            last = ""
            while row := await find_one(self._storage, Find(RUNS.name, _of_workers_behind(status, last), _BY_WORKER)):
                last = text(row, "worker")
                workers.add(last)
        return workers

    async def _find(self, query: Find) -> list[Run]:
        return readable_runs(await self._storage.find(query))

    # ---------- deciding, each by one compare-and-set

    async def assign(self, run: Run, worker: str, slot: str | None = None) -> Run | None:
        """The run with its worker, and with the slot of its concurrency group.

        None if it is no longer waiting (taken, cancelled, another attempt), or if another run holds the slot.
        """
        assigned = replace(run, worker=worker, slot=slot, assigned_at=self._clock.now())
        where = (*_waiting(run), _IN_QUEUE, equal("should_cancel", False))
        changes: Row = {
            "worker": worker,
            "assigned_at": optional_microseconds(assigned.assigned_at),
            "expires_at": None,
        }
        if slot is not None:
            changes = {**changes, "concurrency_slot": slot}
        return await self._set(where, changes, assigned)

    async def unassign(self, run: Run) -> Run | None:
        """Back to the queue as the next attempt, for its worker refused it; None if it is no longer as `run` says."""
        waiting = next_attempt(run)
        where = (
            equal("identifier", run.identifier),
            equal("status", run.status.value),
            equal("worker", run.worker),
            _attempt(run),
            equal("journal_sequence", run.journal_sequence),
        )
        changes: Row = {"attempt": waiting.attempt, **run_facts(waiting)}
        return await self._set(where, changes, waiting)

    async def cancel(self, run: Run, reason: Reason) -> Run | None:
        """The cancelled run; None if it is no longer waiting."""
        status = advance(run.status, RunStatus.CANCELLED)
        cancelled = replace(run, status=status, reason=reason, waits_until=None, ended_at=self._clock.now())
        changes: Row = {
            "status": status.value,
            "reason_code": reason.code.value,
            "reason": reason.sentence,
            "ended_at": optional_microseconds(cancelled.ended_at),
            "expires_at": None,
            **queue_place(cancelled),
        }
        return await self._set(_waiting(run), changes, cancelled)

    async def end_delay(self, run: Run) -> Run | None:
        """The moment has come that it waited for; None if it does not wait for it any more."""
        going_on = replace(run, waits_until=None)
        return await self._set(
            (*_waiting(run), equal("queue_key", WAITING_FOR_A_MOMENT)), queue_place(going_on), going_on
        )

    async def _set(self, where: tuple[Condition, ...], changes: Row, changed: Run) -> Run | None:
        outcome = await self._storage.write(Batch((Update(RUNS.name, where, changes),)))
        return changed if outcome.is_applied else None


def _of_workers_behind(status: RunStatus, worker: str) -> tuple[Condition, ...]:
    return (equal("status", status.value), Condition("worker", Operator.GREATER, worker))


def _waiting(run: Run) -> tuple[Condition, ...]:
    return (equal("identifier", run.identifier), _PENDING, _UNASSIGNED, _attempt(run))


def _attempt(run: Run) -> Condition:
    return equal("attempt", run.attempt)
