"""Ticks of schedules: decided on by masters, each step one insert under a unique key or one compare-and-set."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from datetime import datetime

from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.schedules import Schedule
from job_orchestra.domain.statuses import ACTIVE
from job_orchestra.domain.ticks import AHEAD, OPEN, SETTLED, Ledger, Tick, TickState
from job_orchestra.repositories.conditions import among, equal, find_everything, find_one
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.columns import optional_moment, text
from job_orchestra.repositories.rows.ticks import tick_facts, tick_from_row, tick_to_row
from job_orchestra.storage.port import (
    Batch,
    Condition,
    Delete,
    Find,
    Insert,
    Operator,
    Order,
    Row,
    Storage,
    Update,
)
from job_orchestra.storage.schema import RUNS, TICKS

KEPT = 10_000
"""Settled ticks of a schedule; older ones are removed."""
_OPEN_ORDER = (Order("state"), Order("project"), Order("schedule"), Order("number"))
_MADE_A_RUN = (TickState.DUE, TickState.TRIGGERED)
_LATEST = (Order("due", descending=True),)


class Ticks:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(
        self, project: str, schedule: str, limit: int = LIMIT, cursor: str | None = None, newest_first: bool = True
    ) -> Listed[Tick]:
        """By the moment at which they came due."""
        query = Find(TICKS.name, _of(project, schedule), (Order("due", newest_first),), limit=limit)
        return await list_page(self._storage, query, cursor, tick_from_row)

    async def latest(self, schedules: Sequence[Schedule]) -> builtins.list[Tick | None]:
        """The last tick of each of them."""
        queries = [Find(TICKS.name, _of(one.project, one.identifier), _LATEST, limit=1) for one in schedules]
        return [tick_from_row(rows[0]) if rows else None for rows in await self._storage.find_all(queries)]

    async def open(self) -> set[tuple[str, str]]:
        """Project and identifier of the schedules that have ticks which are not settled."""
        queries = [Find(TICKS.name, (_is(state),), _OPEN_ORDER) for state in OPEN]
        return {
            (text(row, "project"), text(row, "schedule"))
            for query in queries
            for row in await find_everything(self._storage, query)
        }

    async def ledger(self, project: str, schedule: str, now: datetime) -> Ledger:
        """What the ticks of a schedule have come to."""
        of, until_now = _of(project, schedule), Condition("due", Operator.LESS_EQUAL, to_microseconds(now))
        first, last = (Order("number"),), (Order("number", descending=True),)
        # In this order: a tick goes from one state to the next, so none slips through where there are no snapshots.
        queries = [
            Find(TICKS.name, of, last, limit=1),
            Find(TICKS.name, (*of, until_now), _LATEST, limit=1),
            Find(TICKS.name, (_is(TickState.WAITING), *of), first, limit=1),
            Find(TICKS.name, (_is(TickState.DUE), *of), first, limit=1),
            Find(TICKS.name, (_is(TickState.TRIGGERED), *of), last, limit=1),
            Find(TICKS.name, (*of, _ahead_of(now)), _LATEST, limit=1),
            Find(TICKS.name, (_is(TickState.WAITING), *of), last, limit=1),
        ]
        found = (_first(rows) for rows in await self._storage.find_all(queries))
        newest, latest, waiting, due, triggered, ahead, last_waiting = found
        status, ended_at = await self._end_of(triggered)
        return Ledger(
            last_number=newest.number if newest else 0,
            latest_due=latest.due if latest else None,
            has_some_ahead=ahead is not None,
            waiting=waiting,
            due=due,
            triggered=triggered,
            has_unended_run=status in ACTIVE,
            run_ended_at=ended_at,
            last_waiting_number=last_waiting.number if last_waiting else 0,
        )

    async def add(self, ticks: Iterable[Tick]) -> bool:
        """The next ones of a schedule, by number; False if another master was there first: then see what there is."""
        inserts = tuple(Insert(TICKS.name, tick_to_row(tick)) for tick in ticks)
        return (await self._storage.write(Batch(inserts))).is_applied

    async def change(self, before: Tick, after: Tick) -> bool:
        """False if its state is another one by now."""
        where = (*_of(before.project, before.schedule), equal("due", to_microseconds(before.due)))
        update = Update(TICKS.name, (*where, _is(before.state)), tick_facts(after))
        return (await self._storage.write(Batch((update,)))).is_applied

    async def forget_ahead(self, project: str, schedule: str, ledger: Ledger, now: datetime) -> None:
        """Removes what a clock that was ahead has decided on, so that those ticks come in their time.

        Not those that made a run, which is enough of it, nor the last number, which nobody may take twice.
        """
        states = among("state", (state.value for state in TickState if state not in _MADE_A_RUN))
        earlier = Condition("number", Operator.LESS, ledger.last_number)
        where = (*_of(project, schedule), _ahead_of(now), states, earlier)
        await self._storage.write(Batch((Delete(TICKS.name, where),)))

    async def prune(self, project: str, schedule: str, ledger: Ledger) -> None:
        """Removes what is older than the last `KEPT`, and than the last one that made a run."""
        until = ledger.last_number - KEPT
        if ledger.triggered is not None:
            until = min(until, ledger.triggered.number - 1)
        if until <= 0:
            return
        old = Condition("number", Operator.LESS_EQUAL, until)
        settled = among("state", (state.value for state in SETTLED))
        await self._storage.write(Batch((Delete(TICKS.name, (*_of(project, schedule), old, settled)),)))

    async def _end_of(self, tick: Tick | None) -> tuple[str, datetime | None]:
        """Status and end of its run; nothing where that was removed, which is done to ended ones only."""
        if tick is None or tick.run is None:
            return "", None
        row = await find_one(self._storage, Find(RUNS.name, (equal("identifier", tick.run),)))
        return ("", None) if row is None else (text(row, "status"), optional_moment(row, "ended_at"))


def _of(project: str, schedule: str) -> tuple[Condition, ...]:
    return (equal("project", project), equal("schedule", schedule))


def _first(rows: Sequence[Row]) -> Tick | None:
    return tick_from_row(rows[0]) if rows else None


def _is(state: TickState) -> Condition:
    return equal("state", state.value)


def _ahead_of(now: datetime) -> Condition:
    return Condition("due", Operator.GREATER, to_microseconds(now + AHEAD))
