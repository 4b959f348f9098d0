"""Timekeepers in virtual time over one database in memory: as many as wanted, each of which may die at any step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, TypeVar

from job_orchestra.composition.cron_expressions import local_times
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run, SourceKind
from job_orchestra.domain.statuses import ACTIVE
from job_orchestra.domain.tick_times import tick_times, timetable_of
from job_orchestra.domain.ticks import Tick, TickState
from job_orchestra.master.outage import Outage
from job_orchestra.master.ticking import Ticking
from job_orchestra.master.timekeeper import Timekeeper
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.projects import Projects
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.storage.port import StorageUnavailable
from job_orchestra.storage.schema import RUNS
from tests.simulation.memory_storage import Change, MemoryDatabase, MemoryStorage
from tests.simulation.virtual_time import VirtualLoop

T = TypeVar("T")

START = datetime(2026, 11, 26, 11, 59, 30, tzinfo=UTC)
_UNENDED = [status.value for status in ACTIVE]


@dataclass
class Clock:
    """That of one host."""

    loop: asyncio.AbstractEventLoop
    start: datetime = START
    shift: timedelta = timedelta()
    """By how much it is wrong."""

    def now(self) -> datetime:
        return self.start + self.shift + timedelta(seconds=self.loop.time())


@dataclass
class Road:
    """The way from a master to the database."""

    delay: Callable[[], float] = lambda: 0.0
    """Seconds that each call takes, half of them before it is carried out."""
    is_closed: bool = False
    dies_at: int | None = None
    """The master dies at its n-th change, before or behind it: at a look it would die as behind the change before."""
    dies_behind_it: bool = False
    changes: int = 0
    is_dead: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, work: Callable[[], T], what: str) -> T:
        self.changes += what.startswith("write")
        is_last = self.changes == self.dies_at
        await asyncio.sleep(self.delay() / 2)
        if is_last and not self.dies_behind_it:
            await self._die()
        if self.is_closed:
            raise StorageUnavailable("The database is down.")
        result = work()
        if is_last:
            await self._die()
        await asyncio.sleep(self.delay() / 2)
        return result

    async def _die(self) -> None:
        self.is_dead.set()
        await asyncio.Event().wait()


class Master:
    """One life of the part of a master that keeps the schedules."""

    def __init__(self, database: MemoryDatabase, clock: Clock, road: Road | None = None) -> None:
        self.clock = clock
        self.road = road or Road()
        storage = MemoryStorage(database, self.road)
        self.outage = Outage()
        self.told: list[str] = []
        """The runs that the dispatcher was told of."""
        ticks = Ticks(storage)
        ticking = Ticking(ticks, Jobs(storage, clock), Runs(storage, clock), local_times, clock, self.told.append)
        self.timekeeper = Timekeeper(Schedules(storage, clock), ticks, ticking, self.outage, clock)
        self._life = asyncio.ensure_future(self.timekeeper.run())

    async def die(self) -> None:
        assert not self._life.done(), self._life
        self._life.cancel()
        await asyncio.wait([self._life])


class Stage:
    def __init__(self, start: datetime = START) -> None:
        self.loop = VirtualLoop()
        self.clock = Clock(self.loop, start)
        self.database = MemoryDatabase()
        self.database.on_changes = self._on_changes
        # What the test itself asks and does takes no time.
        storage = MemoryStorage(self.database)
        self.storage = storage
        self.projects = Projects(storage, self.clock)
        self.jobs = Jobs(storage, self.clock)
        self.schedules = Schedules(storage, self.clock)
        self.ticks = Ticks(storage)
        self.runs = Runs(storage, self.clock)
        self.queue = RunQueue(storage, self.clock)
        self.most_unended = 0
        self._ends_after: Callable[[], float] | None = None
        self._ending: list[asyncio.Task[None]] = []

    # ---------- playing

    def play(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            self.loop.run_until_complete(scenario())
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            self.loop.run_until_complete(asyncio.wait(left))
        finally:
            self.loop.close()

    async def configure(self, *schedules: JsonObject) -> None:
        """Of the project `p`, with the job `j`; what is not given is a schedule of every minute that is enabled."""
        usual: JsonObject = {"identifier": "s", "job": "j", "expression": "* * * * *", "is_enabled_at_first": True}
        given: list[Any] = [{**usual, **schedule} for schedule in schedules]
        job: JsonObject = {"identifier": "j", "commands": [["true"]]}
        await self.projects.apply(parse_projects([{"identifier": "p", "jobs": [job], "schedules": given}]))

    def master(self, road: Road | None = None, clock: Clock | None = None) -> Master:
        return Master(self.database, clock or self.clock, road)

    async def until(self, hour: int, minute: int, second: int) -> None:
        """That time of the day on which it starts, whatever the clocks of masters show."""
        moment = self.clock.start.replace(hour=hour, minute=minute, second=second)
        await asyncio.sleep((moment - self.clock.start).total_seconds() - self.loop.time())

    def end_runs(self, after: Callable[[], float] = lambda: 0.5) -> None:
        """From now on, each run ends so many seconds after it was triggered."""
        self._ends_after = after

    async def end(self, run: str, seconds: float = 0.0) -> None:
        await asyncio.sleep(seconds)
        found = await self.queue.load(run)
        assert found is not None
        await self.queue.cancel(found, Reason(ReasonCode.CANCEL_REQUESTED, "The test is through with it."))

    # ---------- looking

    async def unended(self) -> Sequence[Run]:
        return (await self.runs.list(RunFilter(statuses=tuple(ACTIVE)), limit=1000)).items

    async def all_ticks(self, schedule: str = "s") -> list[Tick]:
        """In their order."""
        return (await self.ticks.list("p", schedule, limit=5000, newest_first=False)).items

    async def told(self, schedule: str = "s") -> list[str]:
        """Minute and state of each tick."""
        return [f"{tick.due:%H:%M} {tick.state}" for tick in await self.all_ticks(schedule)]

    async def audit(self, *, since: datetime, until: datetime) -> None:
        """P7: each tick has a record, each run its tick, and no two runs were there at a time."""
        ticks = await self.all_ticks()
        (schedule,) = await self.schedules.all()
        moments = tick_times(timetable_of(schedule.settings), local_times, since)
        assert [tick.due for tick in ticks] == list(takewhile(lambda moment: moment <= until, moments))
        named = [tick.run for tick in ticks if tick.state is TickState.TRIGGERED]
        assert all(tick.state is TickState.TRIGGERED or tick.detail for tick in ticks), ticks
        runs = await self.runs.list(RunFilter(source_kind=SourceKind.SCHEDULE), limit=5000)
        assert sorted(map(str, named)) == sorted(run.identifier for run in runs.items)
        assert self.most_unended <= 1

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.collection == RUNS.name and change.before is None and change.after is not None:
                rows = self.database.table(RUNS.name).rows.values()
                self.most_unended = max(self.most_unended, sum(row["status"] in _UNENDED for row in rows))
                if self._ends_after is not None:
                    run = str(change.after["identifier"])
                    self._ending.append(self.loop.create_task(self.end(run, self._ends_after())))
