"""A master that is killed while it compresses a log: nothing is lost, and the next one goes on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from job_orchestra.domain.runs import Run
from job_orchestra.fail_points import FailPoint
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogStore
from job_orchestra.storage.sql import open_storage
from tests.fail_points.applications import DATABASE, Applications, until
from tests.repositories.history import past_run, store
from tests.repositories.logged import key_of, with_log, words, write

_LOG = words(1_000_000)
_RUNS = 3


@pytest.mark.parametrize("point", [FailPoint.STORAGE_LOG_COMPRESSED, FailPoint.STORAGE_LOG_DOUBLED], ids=str)
def test_what_a_death_while_logs_are_compressed_comes_to(point: FailPoint, template: Path, tmp_path: Path) -> None:
    applications = Applications(tmp_path / "installation", template)
    with (applications.installation.directory / "orchestra.toml").open("a") as settings:
        settings.write("\n[storage]\ncompress_logs = true\n")
    runs = _fill(applications)
    try:
        applications.start("master", f"{point}:2")
        until(lambda: applications.has_reached("master", point), "the master dies")
        assert _stored(applications, runs) == [_LOG] * _RUNS
        done = applications.installation.orchestra("database", "check", "--thorough")
        assert (done.returncode, done.stdout.count("left-over")) == (1, 1)
        applications.restart("master")
        until(lambda: "Compression: 2 logs compressed" in applications.said("master"), "it goes on")
        assert _stored(applications, runs) == [_LOG] * _RUNS
        assert len(list(applications.logs.rglob("*.log.zst"))) == _RUNS
        done = applications.installation.orchestra("database", "check", "--thorough")
        assert (done.returncode, "all is in order" in done.stdout) == (0, True)
    finally:
        applications.end_all()


def _fill(applications: Applications) -> list[Run]:
    old = datetime.now(UTC) - timedelta(days=3)
    runs = [with_log(past_run(old, job="work", project="example", number=number), _LOG) for number in range(_RUNS)]

    async def fill(logs: LogStore) -> None:
        storage = open_storage(f"sqlite:///{applications.installation.directory / DATABASE}")
        await store(storage, runs)
        await storage.close()
        for run in runs:
            await write(logs, run, _LOG)

    _with_logs(applications, fill)
    return runs


def _stored(applications: Applications, runs: list[Run]) -> list[bytes]:
    found: list[bytes] = []

    async def read(logs: LogStore) -> None:
        for run in runs:
            log = bytearray()
            while piece := await logs.read(key_of(run), len(log), 1 << 20):
                log += piece
            found.append(bytes(log))

    _with_logs(applications, read)
    return found


def _with_logs(applications: Applications, work: Callable[[LogStore], Awaitable[None]]) -> None:
    async def main() -> None:
        logs = open_log_store(applications.logs)
        try:
            await work(logs)
        finally:
            await logs.close()

    asyncio.run(main())
