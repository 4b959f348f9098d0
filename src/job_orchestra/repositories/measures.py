"""How much the installation has to do: looked at once a minute, kept for two days."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import datetime, timedelta

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.measures import Measure, minute_of
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.conditions import among, equal, find_everything, find_one
from job_orchestra.repositories.rows.columns import integer, moment
from job_orchestra.repositories.rows.workers import worker_from_row
from job_orchestra.storage.port import Batch, Condition, Count, Delete, Find, Insert, Operator, Order, Row, Storage
from job_orchestra.storage.schema import MEASURES, RUNS, WORKERS

KEPT = timedelta(days=2)
MOST_COUNTED = 100_000
_WORKERS_AT_ONCE = 100


class Measures:
    """Counted is what goes on now, along indexes: history costs nothing, and what waits is counted to a bound."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def has(self, minute: datetime) -> bool:
        """Whether some master has looked already."""
        where = (equal("minute", to_microseconds(minute)),)
        return await find_one(self._storage, Find(MEASURES.name, where)) is not None

    async def take(self) -> None:
        """Of the whole installation, in this minute; of several masters that do so at once, one counts."""
        minute = minute_of(self._clock.now())
        connected = Find(WORKERS.name, (equal("is_connected", True),), (Order("identifier"),))
        workers = [worker_from_row(row) for row in await find_everything(self._storage, connected)]
        row: Row = {
            "minute": to_microseconds(minute),
            "waiting": await self._count(equal("status", RunStatus.PENDING.value)),
            "running": await self._count(equal("status", RunStatus.RUNNING.value)),
            "workers": len(workers),
            "executors": sum(worker.description.executor_limit for worker in workers),
            "in_use": await self._in_use([worker.identifier for worker in workers]),
        }
        old = Condition("minute", Operator.LESS, to_microseconds(minute - KEPT))
        await self._storage.write(
            Batch((Insert(MEASURES.name, row, ignore_duplicate=True), Delete(MEASURES.name, (old,))))
        )

    async def since(self, date: datetime) -> builtins.list[Measure]:
        """By time."""
        where = (Condition("minute", Operator.GREATER_EQUAL, to_microseconds(date)),)
        rows = await find_everything(self._storage, Find(MEASURES.name, where, (Order("minute"),)))
        return [_measure(row) for row in rows]

    async def _in_use(self, workers: Sequence[str]) -> int:
        in_use = 0
        for status in (RunStatus.RUNNING, RunStatus.PENDING):
            for start in range(0, len(workers), _WORKERS_AT_ONCE):
                some = among("worker", workers[start : start + _WORKERS_AT_ONCE])
                in_use += await self._count(equal("status", status.value), some)
        return in_use

    async def _count(self, *where: Condition) -> int:
        return await self._storage.count(Count(RUNS.name, where, MOST_COUNTED))


def _measure(row: Row) -> Measure:
    names = ("waiting", "running", "workers", "executors", "in_use")
    return Measure(moment(row, "minute"), *(integer(row, name) for name in names))
