"""Which logs are compressed, and that each is, whenever its run ended and whoever died meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from job_orchestra.domain.run_logs import LEAST_COMPRESSED
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.conditions import equal
from job_orchestra.repositories.log_compression import Compressed, LogCompression
from job_orchestra.repositories.rows.runs import run_facts
from job_orchestra.storage.files.log_files import LogFiles
from job_orchestra.storage.log_port import Compression, LogKey
from job_orchestra.storage.port import Batch, Delete, Find, Row, StorageUnavailable, Update
from job_orchestra.storage.schema import RUNS
from tests.repositories.history import past_run, store
from tests.repositories.logged import key_of, with_log, words, write
from tests.repositories.records import Records, play
from tests.simulation.memory_storage import MemoryDatabase, MemoryStorage

DAY = timedelta(days=1)
_LOG = words(50_000)
_SIZE = len(_LOG)


class WatchedLogs(LogFiles):
    """Notes what is to be compressed, and fails where it is told to."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.asked: list[str] = []
        self.failing: set[str] = set()
        self.busy: set[str] = set()

    async def compress(self, key: LogKey, size: int, sha256: str) -> Compression:
        self.asked.append(key.run)
        if key.run in self.failing:
            raise StorageUnavailable("The disk is full.")
        return Compression.BUSY if key.run in self.busy else await super().compress(key, size, sha256)


class WatchedStorage(MemoryStorage):
    def __init__(self) -> None:
        super().__init__(MemoryDatabase())
        self.rows = 0

    async def find(self, query: Find) -> list[Row]:
        rows = await super().find(query)
        self.rows += len(rows)
        return rows


class Installation:
    def __init__(self, records: Records, directory: Path) -> None:
        self.records = records
        self.logs = WatchedLogs(directory)
        self.restart()

    @property
    def now(self) -> datetime:
        return self.records.clock.now()

    def restart(self) -> None:
        """Another master, which knows what is stored."""
        self._compression = LogCompression(self.records.storage, self.logs, self.records.clock)

    async def add(self, *runs: Run, log: bytes = _LOG) -> None:
        await store(self.records.storage, runs)
        for run in runs:
            await write(self.logs, run, log)

    async def round(self) -> Compressed:
        self.logs.asked.clear()
        done = Compressed()
        async for so_far in self._compression.round():
            done = so_far
        return done

    async def end(self, run: Run, log: bytes = _LOG) -> None:
        ended = with_log(replace(run, status=RunStatus.SUCCEEDED, ended_at=self.now), log)
        update = Update(RUNS.name, (equal("identifier", run.identifier),), run_facts(ended))
        assert (await self.records.storage.write(Batch((update,)))).is_applied


def try_out(storage: MemoryStorage, directory: Path, scenario: Callable[[Installation], Awaitable[None]]) -> None:
    async def main() -> None:
        installation = Installation(Records(storage), directory)
        await scenario(installation)
        await installation.logs.close()

    asyncio.run(main())


def test_ended_logs_become_smaller_and_stay_what_they_are(database_url: str, tmp_path: Path) -> None:
    async def scenario(records: Records) -> None:
        installation = Installation(records, tmp_path)
        runs = [with_log(past_run(installation.now - number * DAY), _LOG) for number in range(1, 120)]
        await installation.add(*runs)
        done = await installation.round()
        left = sum(await installation.logs.occupied([key_of(run) for run in runs]))
        assert done == Compressed(len(runs), len(runs) * _SIZE - left)
        assert await installation.logs.sizes([key_of(run) for run in runs]) == [_SIZE] * len(runs)
        for run in runs:
            assert await installation.logs.sha256(key_of(run)) == (run.log.size, run.log.sha256)
        await installation.logs.close()

    play(database_url, scenario)


def test_only_what_is_final_and_worth_it_is_compressed(tmp_path: Path) -> None:
    small = words(LEAST_COMPRESSED - 1)

    async def scenario(installation: Installation) -> None:
        old = installation.now - DAY
        others = [
            past_run(old, RunStatus.RUNNING, number=1),
            past_run(old, RunStatus.PENDING, number=2),
            replace(past_run(old, RunStatus.EXCEPTION, number=3), log=LogFacts(_SIZE)),  # given up: nobody compared it
            with_log(past_run(installation.now - timedelta(minutes=59), number=4), _LOG),
        ]
        await installation.add(*others)
        await installation.add(with_log(past_run(old, number=5), small), log=small)
        await store(installation.records.storage, [past_run(old, RunStatus.CANCELLED, number=6)])
        assert await installation.round() == Compressed()
        assert installation.logs.asked == []

    try_out(WatchedStorage(), tmp_path, scenario)


def test_each_run_is_looked_at_once_also_by_the_next_master(tmp_path: Path) -> None:
    storage = WatchedStorage()

    async def scenario(installation: Installation) -> None:
        await installation.add(
            *(with_log(past_run(installation.now - DAY, number=number), _LOG) for number in range(130))
        )
        assert (await installation.round()).logs == 130
        storage.rows = 0
        await installation.round()
        assert storage.rows == 0
        installation.restart()
        await installation.round()
        assert (storage.rows, len(installation.logs.asked)) == (1, 1)
        installation.records.clock.advance(3600)
        await installation.add(with_log(past_run(installation.now - timedelta(hours=2), number=1), _LOG))
        assert (await installation.round()).logs == 1

    try_out(storage, tmp_path, scenario)


def test_a_run_that_goes_on_is_compressed_when_it_has_ended(tmp_path: Path) -> None:
    """Whether the same master lives then or not."""

    async def scenario(installation: Installation) -> None:
        long, longer = (past_run(installation.now - 2 * DAY, RunStatus.RUNNING, number=number) for number in range(2))
        newer = [with_log(past_run(installation.now - DAY, number=number), _LOG) for number in range(60)]
        await installation.add(long, longer, *newer)
        assert (await installation.round()).logs == 60
        assert await installation.logs.compression_position() == long.identifier
        await installation.end(long)
        assert (await installation.round()).logs == 1
        assert await installation.logs.compression_position() == longer.identifier
        installation.restart()
        await installation.round()
        await installation.end(longer)
        installation.restart()
        assert (await installation.round()).logs == 1
        assert await installation.logs.compression_position() == newer[-1].identifier

    try_out(WatchedStorage(), tmp_path, scenario)


def test_what_somebody_else_has_or_the_disk_does_not_take_comes_later(tmp_path: Path) -> None:
    async def scenario(installation: Installation) -> None:
        runs = [with_log(past_run(installation.now - DAY, number=number), _LOG) for number in range(70)]
        await installation.add(*runs)
        installation.logs.failing = {run.identifier for run in runs[:15]}
        installation.logs.busy = {runs[60].identifier}
        assert (await installation.round()).failures == 10
        assert len(installation.logs.asked) == 10
        await installation.round()
        assert await installation.logs.compression_position() == runs[0].identifier
        installation.logs.failing.clear()
        assert sum([(await installation.round()).logs for _ in range(2)]) >= 50
        installation.logs.busy.clear()
        assert (await installation.round()).logs == 1
        assert await installation.logs.compression_position() == runs[-1].identifier
        assert sum(await installation.logs.occupied([key_of(run) for run in runs])) < 70 * _SIZE / 2

    try_out(WatchedStorage(), tmp_path, scenario)


def test_a_log_that_is_not_the_recorded_one_is_told_and_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(installation: Installation) -> None:
        run = with_log(past_run(installation.now - DAY), _LOG)
        await installation.add(run, log=_LOG[:-1] + b"!")
        assert await installation.round() == Compressed()
        assert f"The log of run {run.identifier} stays as it is" in caplog.text
        assert await installation.logs.size(key_of(run)) == _SIZE

    try_out(WatchedStorage(), tmp_path, scenario)


def test_a_run_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    async def scenario(installation: Installation) -> None:
        run, last = (past_run(installation.now - DAY, RunStatus.RUNNING, number=number) for number in range(2))
        await store(installation.records.storage, [run, last])
        await installation.round()
        for one in (run, last):
            delete = Delete(RUNS.name, (equal("identifier", one.identifier),))
            await installation.records.storage.write(Batch((delete,)))
        await installation.round()
        assert await installation.logs.compression_position() == last.identifier

    try_out(WatchedStorage(), tmp_path, scenario)


def test_a_position_of_somebody_elses_hides_nothing(tmp_path: Path) -> None:
    async def scenario(installation: Installation) -> None:
        await installation.logs.store_compression_position("~ the end ~")
        await installation.add(with_log(past_run(installation.now - DAY), _LOG))
        assert (await installation.round()).logs == 1

    try_out(WatchedStorage(), tmp_path, scenario)
