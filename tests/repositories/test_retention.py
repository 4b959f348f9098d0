"""Which runs their retention lets go, compared with what is plain; and that they go whole, whatever comes between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.retention import KEEP_EVERYTHING, KEY_LIFETIME, Retention
from job_orchestra.domain.runs import Run, SourceKind
from job_orchestra.domain.statuses import ACTIVE, TERMINAL, RunStatus
from job_orchestra.repositories.expired_runs import AT_ONCE, ExpiredRuns
from job_orchestra.repositories.pruning import Pruning
from job_orchestra.repositories.removals import Removal, Removals
from job_orchestra.repositories.retentions import JobRetention, Retentions
from job_orchestra.repositories.rows.events import event_to_row
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogKey, LogPiece, LogStore
from job_orchestra.storage.port import Batch, Count, Find, Insert, Order, Row, Storage
from job_orchestra.storage.schema import (
    COLLECTIONS,
    EVENTS,
    LATE_EVENTS,
    LATE_REPORTS,
    REMOVALS,
    RUN_VALUES,
    RUNS,
    TICKS,
)
from tests.repositories.history import past_run, store
from tests.repositories.records import Records, configuration, play
from tests.simulation.memory_logs import LogBytes, MemoryLogs
from tests.simulation.memory_storage import MemoryDatabase, MemoryStorage

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


# ---------- which go


def expected(runs: Sequence[Run], retention: Retention, now: datetime) -> set[str]:
    """As the documentation says it, by looking at every run there is."""
    unfinished = {run.identifier for run in runs if not run.status.is_terminal}
    gone: set[str] = set()
    for is_failure in (False, True):
        ended = [
            run
            for run in runs
            if run.status.is_terminal and (run.status in {RunStatus.FAILED, RunStatus.EXCEPTION}) == is_failure
        ]
        days = (retention.failure_days if is_failure else None) or retention.days
        count = (retention.failure_count if is_failure else None) or retention.count
        ended.sort(key=lambda run: run.identifier, reverse=True)
        for newer, run in enumerate(ended):
            assert run.ended_at is not None
            is_too_old = days is not None and max(run.created_at, run.ended_at) < now - days * DAY
            is_too_many = count is not None and newer >= count
            is_wanted = run.is_pinned or (run.source.kind is SourceKind.RUN and run.source.identifier in unfinished)
            has_young_key = run.idempotency_key is not None and run.created_at > now - KEY_LIFETIME
            if (is_too_old or is_too_many) and not is_wanted and not has_young_key:
                gone.add(run.identifier)
    return gone


def random_runs(rng: random.Random, now: datetime, number: int) -> list[Run]:
    runs: list[Run] = []
    days = rng.choice([0.001, 3, 20])
    for place in range(number):
        # Many of the same millisecond, and some that took long.
        created_at = now - timedelta(milliseconds=rng.randrange(int(days * 86_400_000)) // 1000 * 1000)
        runs.append(
            past_run(
                created_at,
                rng.choice([*RunStatus, RunStatus.SUCCEEDED, RunStatus.SUCCEEDED]),
                number=place,
                took=rng.choice([timedelta(), MINUTE, 2 * DAY, -100 * DAY]),
                source_run=rng.choice(runs).identifier if runs and rng.random() < 0.1 else None,
                key=str(place) if rng.random() < 0.3 else None,
                is_pinned=rng.random() < 0.1,
            )
        )
    return runs


async def found(storage: Storage, records: Records, retention: Retention) -> list[str]:
    expired = ExpiredRuns(storage, records.clock)
    return [run.identifier async for runs in expired.of("p", "j", retention) for run in runs]


def test_the_decision_is_that_of_looking_at_everything() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)

    async def scenario() -> None:
        for _ in range(60):
            storage = MemoryStorage(MemoryDatabase())
            records = Records(storage)
            now = records.clock.now()
            runs = random_runs(rng, now, rng.choice([0, 1, 7, 60, 300]))
            await store(storage, [*runs, past_run(now - 999 * DAY, job="another")])
            retention = Retention(
                *(
                    rng.choice([None, 1, 2, 10]) if place % 2 == 0 else rng.choice([None, 1, 5, 70])
                    for place in range(4)
                )
            )
            listed = await found(storage, records, retention)
            assert set(listed) == expected(runs, retention, now)
            assert len(listed) == len(set(listed))

    asyncio.run(scenario())


def test_the_decision_on_a_database(database_url: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")

    async def scenario(records: Records) -> None:
        now = records.clock.now()
        runs = random_runs(random.Random(seed), now, 300)
        await store(records.storage, runs)
        for retention in (Retention(days=2), Retention(count=20, failure_count=3), Retention(5, 40, 10, 60)):
            assert set(await found(records.storage, records, retention)) == expected(runs, retention, now)

    play(database_url, scenario)


class Watched(MemoryStorage):
    """Counts what is read."""

    rows = 0
    queries = 0

    async def find(self, query: Find) -> list[Row]:
        return (await self.find_all([query]))[0]

    async def find_all(self, queries: Sequence[Find]) -> list[list[Row]]:
        pages = await super().find_all(queries)
        self.queries += len(queries)
        self.rows += sum(map(len, pages))
        return pages

    async def count(self, query: Count) -> int:
        counted = await super().count(query)
        self.rows += counted
        self.queries += 1
        return counted


def test_what_stays_is_not_looked_at() -> None:
    async def scenario() -> None:
        storage = Watched(MemoryDatabase())
        records = Records(storage)
        now = records.clock.now()
        await store(storage, (past_run(now - number * MINUTE) for number in range(5000)))
        assert await found(storage, records, Retention(days=4)) == []
        assert (storage.rows, storage.queries) == (0, len(TERMINAL))
        storage.rows = 0
        assert len(await found(storage, records, Retention(count=4900))) == 100
        assert storage.rows < 12 * 4900 + 300
        storage.rows = 0
        assert len(await found(storage, records, Retention(days=3))) == 5000 - 1 - 3 * 24 * 60
        assert storage.rows <= 5000 - 3 * 24 * 60

    asyncio.run(scenario())


# ---------- whose retention


def test_what_is_no_longer_configured_follows_what_is_around_it(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        def job(identifier: str, days: int | None = None) -> JsonObject:
            job: JsonObject = {"identifier": identifier, "commands": [["true"]]}
            return job if days is None else {**job, "retention": {"days": days}}

        kept: JsonObject = {"identifier": "kept", "jobs": [job("own", 1), job("none")], "retention": {"days": 2}}
        gone: JsonObject = {"identifier": "gone", "jobs": [job("own", 3), job("none")], "retention": {"days": 4}}
        await records.projects.apply(configuration(kept, gone))
        retentions = Retentions(records.storage, Retention(days=5))

        async def days() -> dict[str, int | None]:
            return {f"{one.project}/{one.job}": one.retention.days for one in await retentions.all()}

        assert await days() == {"gone/none": 4, "gone/own": 3, "kept/none": 2, "kept/own": 1}
        await records.projects.apply(configuration({**kept, "jobs": []}))
        assert await days() == {"gone/none": 5, "gone/own": 5, "kept/none": 2, "kept/own": 2}
        keeping = Retentions(records.storage, KEEP_EVERYTHING)
        assert [one.project for one in await keeping.all()] == ["kept", "kept"]

    play(database_url, scenario)


# ---------- they go whole

ALL = JobRetention("p", "j", Retention(days=1))


class Tracked:
    """Two runs with all that belongs to a run, and everything needed to remove them."""

    def __init__(self, records: Records, logs: LogStore) -> None:
        self.records = records
        self.logs = logs
        self.removals = Removals(records.storage)
        self.pruning = Pruning(ExpiredRuns(records.storage, records.clock), self.removals, logs)
        self.runs: list[Run] = []

    async def fill(self, number: int = 2) -> None:
        old = self.records.clock.now() - 3 * DAY
        self.runs = [replace(past_run(old, number=place), attempt=2) for place in range(number)]
        await store(self.records.storage, self.runs)
        event = EventRecord(1, "started", 0, {})
        for run in self.runs:
            lost = replace(run, status=RunStatus.RUNNING, worker="w", attempt=1)
            await self.records.late_reports.expect(lost)
            rows = [(EVENTS, 1), (EVENTS, 2), (LATE_EVENTS, 1)]
            inserts = (Insert(one.name, event_to_row(run.identifier, attempt, event)) for one, attempt in rows)
            await self.records.storage.write(Batch(tuple(inserts)))
            await self.logs.append([LogPiece(key, 0, b"log") for key in self.log_keys(run)])

    def log_keys(self, run: Run) -> list[LogKey]:
        return [LogKey("p", run.identifier, attempt, late) for attempt, late in ((1, False), (1, True), (2, False))]

    async def prune(self) -> list[int]:
        return [tally.runs async for tally in self.pruning.prune(ALL)]

    async def finish(self) -> list[int]:
        return [runs async for runs in self.pruning.finish_interrupted()]

    async def left(self) -> dict[str, int]:
        """Rows of each collection, and bytes of logs."""
        collections = (RUNS, EVENTS, LATE_REPORTS, LATE_EVENTS, REMOVALS)
        rows = {one.name: await self.records.storage.count(Count(one.name)) for one in collections}
        sizes = await self.logs.sizes([key for run in self.runs for key in self.log_keys(run)])
        return {name: number for name, number in {**rows, "logs": sum(sizes)}.items() if number}


WHOLE = {"runs": 1, "run_events": 2, "late_reports": 1, "late_events": 1, "logs": 9}


def played(database_url: str, directory: Path, scenario: Callable[[Tracked], Awaitable[None]]) -> None:
    async def over(records: Records) -> None:
        logs = open_log_store(directory / "logs")
        try:
            await scenario(Tracked(records, logs))
        finally:
            await logs.close()

    play(database_url, over)


def test_nothing_is_left_of_a_run(database_url: str, tmp_path: Path) -> None:
    async def scenario(tracked: Tracked) -> None:
        await tracked.fill()
        assert await tracked.left() == {name: 2 * number for name, number in WHOLE.items()}
        assert await tracked.prune() == [2]
        assert await tracked.left() == {}
        assert list((tmp_path / "logs").iterdir()) == []
        assert await tracked.prune() == []
        with pytest.raises(NotFound, match="retention is over"):
            await tracked.records.runs.get("p", tracked.runs[0].identifier)

    played(database_url, tmp_path, scenario)


def test_a_dry_run_tells_what_then_goes(database_url: str, tmp_path: Path) -> None:
    async def scenario(tracked: Tracked) -> None:
        await tracked.fill(2 * AT_ONCE + 7)
        foreseen = [tally async for tally in tracked.pruning.foresee(ALL)][-1]
        assert (await tracked.left())["runs"] == 2 * AT_ONCE + 7
        assert foreseen.runs == 2 * AT_ONCE + 7
        assert foreseen.log_bytes == 9 * foreseen.runs
        assert (foreseen.first, foreseen.last) == (tracked.runs[0].identifier, tracked.runs[-1].identifier)
        assert [tally async for tally in tracked.pruning.prune(ALL)][-1] == foreseen
        assert await tracked.left() == {}

    played(database_url, tmp_path, scenario)


@pytest.mark.parametrize("status", ACTIVE)
def test_a_run_that_has_not_ended_stays(sqlite_url: str, tmp_path: Path, status: RunStatus) -> None:
    async def scenario(tracked: Tracked) -> None:
        await store(tracked.records.storage, [past_run(tracked.records.clock.now() - 999 * DAY, status)])
        assert await tracked.prune() == []
        assert (await tracked.left())["runs"] == 1

    played(sqlite_url, tmp_path, scenario)


def test_a_pinned_run_stays_whole_however_late_it_is_pinned(database_url: str, tmp_path: Path) -> None:
    async def scenario(tracked: Tracked) -> None:
        await tracked.fill()
        pinned, other = tracked.runs
        going = [Removal(run.identifier, "p", 2) for run in tracked.runs]
        await tracked.removals.begin(going)
        # By now it is decided that both go; but of neither anything is gone.
        assert (await tracked.records.runs.set_pinned("p", pinned.identifier, True)).is_pinned
        assert await tracked.finish() == [1]
        assert await tracked.left() == WHOLE
        with pytest.raises(NotFound):
            await tracked.records.runs.set_pinned("p", other.identifier, True)
        assert await tracked.prune() == []
        await tracked.records.runs.set_pinned("p", pinned.identifier, False)
        assert await tracked.prune() == [1]
        assert await tracked.left() == {}

    played(database_url, tmp_path, scenario)


class _Killed(Exception):
    pass


class Dying:
    """A storage or log store that dies with its n-th call of all, before or after that has taken effect."""

    def __init__(self, real: object, calls: list[int], is_after: bool) -> None:
        self._real = real
        self._calls = calls
        self._is_after = is_after

    def __getattr__(self, name: str) -> object:
        method = getattr(self._real, name)

        async def call(*arguments: object) -> object:
            self._calls[0] -= 1
            if self._calls[0] == 0 and not self._is_after:
                raise _Killed
            answer = await method(*arguments)
            if self._calls[0] == 0:
                raise _Killed
            return answer

        return call


@pytest.mark.parametrize("is_after", [False, True])
def test_whatever_step_it_dies_at_the_next_one_finishes_it(is_after: bool) -> None:
    async def scenario() -> None:
        for dies_at in range(1, 100):
            database, contents = MemoryDatabase(), LogBytes()
            storage, logs = MemoryStorage(database), MemoryLogs(contents)
            tracked = Tracked(Records(storage), logs)
            await tracked.fill()
            calls = [dies_at]
            dying = cast("Storage", Dying(storage, calls, is_after))
            dying_logs = cast("LogStore", Dying(logs, calls, is_after))
            pruning = Pruning(ExpiredRuns(dying, tracked.records.clock), Removals(dying), dying_logs)
            with suppress(_Killed):
                async for _ in pruning.prune(ALL):
                    pass
            has_died = calls[0] <= 0
            # A run that there is, is whole.
            left = await tracked.left()
            if "runs" in left:
                assert {name: left[name] for name in WHOLE} == {name: 2 * number for name, number in WHOLE.items()}
            await tracked.finish()
            await tracked.prune()
            assert await tracked.left() == {}
            if not has_died:
                assert dies_at > 12
                return
        raise AssertionError("it never comes to its end")

    asyncio.run(scenario())


def test_two_at_once_remove_each_run_and_keep_what_is_to_be_kept(database_url: str, tmp_path: Path) -> None:
    async def scenario(tracked: Tracked) -> None:
        now = tracked.records.clock.now()
        runs = [past_run(now - number * MINUTE) for number in range(5 * AT_ONCE)]
        await store(tracked.records.storage, runs)
        other = Tracked(tracked.records, tracked.logs)
        job = JobRetention("p", "j", Retention(count=30))

        async def prune(one: Tracked) -> None:
            async for _ in one.pruning.prune(job):
                # Also what the other one is about to finish.
                await one.finish()

        await asyncio.gather(prune(tracked), prune(other))
        rows = await tracked.records.storage.find(Find(RUNS.name, (), (Order("identifier"),), limit=1000))
        assert [row["identifier"] for row in rows] == [run.identifier for run in runs[29::-1]]
        assert await tracked.left() == {"runs": 30}

    played(database_url, tmp_path, scenario)


def test_a_key_is_free_again_when_its_run_is_gone(database_url: str, tmp_path: Path) -> None:
    async def scenario(tracked: Tracked) -> None:
        records = tracked.records
        old = past_run(records.clock.now() - 2 * DAY, key="k")
        await store(records.storage, [old])
        again = await records.runs.trigger(old.request, old.source, "k")
        assert (again.run.identifier, again.is_new) == (old.identifier, False)
        await tracked.prune()
        assert (await records.runs.trigger(old.request, old.source, "k")).is_new

    played(database_url, tmp_path, scenario)


def test_which_runs_are_kept(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await records.trigger()
        assert await records.runs.kept([]) == set()
        assert await records.runs.kept([run.identifier, "gone", run.identifier]) == {run.identifier}

    play(database_url, scenario)


def test_every_collection_that_knows_runs_is_thought_of() -> None:
    # A tick says which run it made, whether or not that is still kept.
    of_runs = {one.name for one in COLLECTIONS if one is not TICKS and any(c.name == "run" for c in one.columns)}
    assert of_runs == {EVENTS.name, RUN_VALUES.name, LATE_REPORTS.name, LATE_EVENTS.name, REMOVALS.name}
