"""A worker whose disk has no room."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.protocol.run_key import RunKey
from tests.executor.hosting import commands
from tests.small_disk import SmallDisk, small_disk
from tests.worker.standing_in import StandInMaster, Stored, end_hosts, host_pids, run, working

_WAITING = "echo ready; until [ -e go ]; do sleep 0.01; done; echo done"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "4m") as one:
        yield one
        end_hosts(one.path / "worker")


@pytest.fixture
def directory(disk: SmallDisk) -> Path:
    return disk.path / "worker"


async def begin(master: StandInMaster) -> Stored:
    await master.until(lambda: master.is_connected)
    stored = await master.execute(commands(_WAITING))
    await master.until_log(stored, "\nready\n")
    return stored


def directory_of(directory: Path, stored: Stored) -> RunDirectory:
    return RunDirectory.of(directory / "runs", RunKey(stored.execute.run, 1))


def let_go(directory: Path, stored: Stored) -> None:
    (directory / "workspaces/job/example" / stored.execute.job / "go").touch()


async def look(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_new_runs_are_refused_and_those_at_work_go_on_when_there_is_room(
    directory: Path, disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url, disk_interval=0.05):
            stored = await begin(master)
            disk.fill()
            assert "has a full disk" in await master.until(lambda: "".join(master.hindrances))
            assert "is full" in caplog.text
            refused = await master.execute(commands("echo elsewhere"))
            assert "cannot write" in str(await master.until(lambda: refused.refusal))
            assert list((directory / "runs").glob(f"*{refused.execute.run}*")) == []
            let_go(directory, stored)
            disk.make_room()
            await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")
            assert stored.times_sent_again == 0
            await master.until(lambda: master.hindrances[-1] == "")
            assert "has room again" in caplog.text
            taken = await master.finish(await master.execute(commands("echo here")))
            assert taken.outcome == ("succeeded", "completed")

    run(test)


def test_an_abort_needs_no_room_to_end_the_processes(directory: Path, disk: SmallDisk) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            stored = await begin(master)
            disk.fill()
            await master.abort(stored)
            place = directory_of(directory, stored)
            # What has been written of the end fits into what the files have already, or waits.
            await look(lambda: stored.is_released or not any_process(place))
            disk.make_room()
            await master.finish(stored)
            assert stored.outcome == ("aborted", "abort_requested")

    run(test)


def any_process(place: RunDirectory) -> bool:
    from job_orchestra.execution.process_tree import all_processes
    from job_orchestra.execution.run_tag import read_tag, tag_of

    tag = tag_of(place.key)
    return any(read_tag(pid) == tag and not one.is_zombie for pid, one in all_processes().items())


def test_a_worker_starts_on_a_full_disk_and_goes_on(directory: Path, disk: SmallDisk) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            disk.fill()
            async with working(directory, url):
                await master.until(lambda: len(master.hellos) == 2)
                let_go(directory, stored)
                disk.make_room()
                await master.finish(stored)
                assert stored.outcome == ("succeeded", "completed")

    run(test)


def test_the_end_of_a_lost_run_is_written_when_there_is_room(directory: Path, disk: SmallDisk) -> None:
    """Once: what could be written of it before is taken back."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            stored = await begin(master)
            place = directory_of(directory, stored)
            # To the end of its page, which the file system has given it already.
            os.truncate(place.log, 4096 - 20)
            disk.fill()
            (host,) = host_pids(directory)
            os.kill(host, signal.SIGKILL)
            await look(lambda: not any_process(place))
            assert not stored.is_released
            disk.make_room()
            await master.finish(stored)
            assert stored.outcome == ("exception", "executor_host_lost")
            assert stored.log.count(b"[orchestra] Run exception") == 1

    run(test)
