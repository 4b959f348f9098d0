"""A worker's directory that was copied is another worker's; one that was moved need not be."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest

from job_orchestra.worker.place import Place, read_place
from tests.executor.hosting import commands
from tests.worker.standing_in import StandInMaster, Stored, end_hosts, host_pids, run, working

_HERE = Place(machine="m", inode=5, device=7, boot="b")


@pytest.fixture
def copied(tmp_path: Path) -> Generator[Path]:
    yield tmp_path / "copy"
    end_hosts(tmp_path / "copy")


def copy(directory: Path, to: Path) -> None:
    subprocess.run(["cp", "-a", directory, to], check=True)


async def begin_waiting(master: StandInMaster, directory: Path) -> tuple[Stored, int]:
    """A run that was accepted and waits for the worker's host, which was stopped, and the pid of that."""
    await master.until(lambda: master.is_connected)
    await master.finish(await master.execute(commands("true")))
    (pid,) = host_pids(directory)
    os.kill(pid, signal.SIGSTOP)
    waiting = await master.execute(commands("echo hello"))
    await master.until(lambda: waiting.is_accepted)
    return waiting, pid


def instance(directory: Path) -> str:
    return (directory / "instance").read_text()


@pytest.mark.parametrize(
    ("place", "is_same"),
    [
        (_HERE, True),
        (replace(_HERE, inode=6), False),
        (replace(_HERE, device=8), False),
        (replace(_HERE, device=8, boot="c"), True),
        (replace(_HERE, device=0), True),
        (replace(_HERE, machine="n"), False),
        (replace(_HERE, machine=""), True),
    ],
)
def test_what_tells_a_copy(place: Place, is_same: bool) -> None:
    assert place.is_that_of(_HERE) is _HERE.is_that_of(place) is is_same


def test_a_copy_is_another_worker_and_carries_out_nothing_that_was_copied(
    directory: Path, copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                waiting, pid = await begin_waiting(master, directory)
                copy(directory, copied)
            async with working(copied, url):
                await master.until(lambda: len(master.hellos) == 2)
                assert master.hellos[1].runs == ()
                assert master.hellos[1].instance == instance(copied) != instance(directory)
            os.kill(pid, signal.SIGCONT)
            async with working(directory, url):
                await master.finish(waiting)
                assert waiting.outcome == ("succeeded", "completed")
            assert master.hellos[2].instance == master.hellos[0].instance
            # The copy has its place now.
            async with working(copied, url):
                await master.until(lambda: len(master.hellos) == 4)
            assert master.hellos[3].instance == master.hellos[1].instance

    run(test)
    assert [path.name for path in copied.glob("runs.*")] == [f"runs.{instance(directory)}"]
    assert [str(copied) in record.getMessage() for record in caplog.records if "begins anew" in record.getMessage()]


def rename(directory: Path, to: Path) -> None:
    directory.rename(to)


def move_to_another_disk(directory: Path, to: Path) -> None:
    """And say so."""
    copy(directory, to)
    (to / "place").unlink()


@pytest.mark.parametrize("move", [rename, move_to_another_disk])
def test_a_directory_that_was_moved_is_gone_on_with(
    directory: Path, copied: Path, move: Callable[[Path, Path], None]
) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored, _ = await begin_waiting(master, directory)
            end_hosts(directory)
            move(directory, copied)
            async with working(copied, url):
                await master.finish(stored)
            assert master.hellos[1].instance == master.hellos[0].instance

    run(test)


def test_a_place_that_cannot_be_read_is_where_the_directory_is(tmp_path: Path) -> None:
    file = tmp_path / "place"
    for content in (b"", b"{", b"[]", b"{}", b'{"machine": "", "inode": "x", "device": 0, "boot": ""}'):
        file.write_bytes(content)
        assert read_place(file) is None
