"""A disk without room, and what becomes of runs on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.host_messages import AbortRun, ExecuteRun
from job_orchestra.execution.journal import JournalReader
from job_orchestra.execution.process_tree import all_processes
from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.execution.run_tag import read_tag, tag_of
from tests.executor.hosting import Host, commands, hosting, wait_for
from tests.small_disk import SmallDisk, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as one:
        yield one


@pytest.fixture
def host(disk: SmallDisk) -> Iterator[Host]:
    with hosting(disk.path) as one:
        yield one


def kinds(directory: RunDirectory) -> list[str]:
    reader = JournalReader(directory.journal)
    reader.look()
    return [event.kind for event in reader.read(0, 100)]


def processes_of(directory: RunDirectory) -> list[int]:
    tag = tag_of(directory.key)
    return [pid for pid, one in all_processes().items() if not one.is_zombie and read_tag(pid) == tag]


def test_a_command_sees_it_and_the_run_waits_for_room(host: Host) -> None:
    """Nothing is truncated silently: the log is what the command could write, and the journal is complete."""
    # Behind the record of its start: a command that is quicker fills the disk before that is written.
    gate = host.place() / "gate"
    os.mkfifo(gate)
    directory = host.begin(commands("read go < gate; cat /dev/zero > filler; echo status $? >&2; exit 3", "echo never"))
    wait_for(lambda: kinds(directory)[-1:] == ["command_started"], "the start")
    gate.write_text("go\n")
    wait_for(lambda: not processes_of(directory), "the command's end")
    (host.place() / "filler").unlink()
    ended = host.finish(directory)
    assert ended.outcome == ("failed", "command_failed")
    assert ended.of("command_ended")[0]["exit_code"] == 3


def test_a_run_that_begins_without_room_goes_on_when_there_is_some(host: Host, disk: SmallDisk) -> None:
    directory = host.prepare(commands("echo hello"))
    disk.fill()
    host.send(ExecuteRun(directory.name))
    wait_for(lambda: any(path.name.startswith(".journal") for path in directory.path.iterdir()), "the claim")
    assert not directory.journal.exists()
    disk.make_room()
    ended = host.finish(directory)
    assert ended.outcome == ("succeeded", "completed")
    assert ended.outputs() == [b"hello\n"]
    assert ended.of("started")[0]["host"]["pid"] == host.pid


@pytest.mark.parametrize("wish", ["abort", "time limit"])
def test_a_command_is_ended_while_its_start_waits_to_be_written(host: Host, disk: SmallDisk, wish: str) -> None:
    """Its processes end at once; that they have is said when there is room to say so."""
    limits = RunLimits(grace=0.2, timeout=1.0 if wish == "time limit" else None)
    waiting = ["sh", "-c", "(setsid sh -c 'trap \"\" TERM; sleep 1000' &); sleep 1000", "x" * 12_000]
    directory = host.prepare(commands(waiting, "echo never", teardown=["echo over"]), limits=limits)
    disk.fill()
    # Room for the command in the log, and not a second time in the journal.
    disk.make_room(6 * 4096)
    host.send(ExecuteRun(directory.name))
    wait_for(lambda: len(processes_of(directory)) >= 2, "the command")
    assert kinds(directory) == ["started"]
    if wish == "abort":
        host.send(AbortRun(directory.name, "ann"))
    wait_for(lambda: not processes_of(directory), "the end of the processes")
    assert kinds(directory) == ["started"]
    disk.make_room()
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested" if wish == "abort" else "time_limit")
    assert ended.outputs() == [b"", b"over\n"]


@pytest.mark.parametrize("is_aborted", [False, True], ids=["until there is room", "until the abort"])
@pytest.mark.parametrize("workspace", Workspace)
def test_a_workspace_waits_for_room(tmp_path: Path, workspace: Workspace, is_aborted: bool) -> None:
    with small_disk(tmp_path / "disk", "2m,nr_inodes=64") as disk, hosting(disk.path) as host:
        directory = host.prepare(commands("echo hello"), workspace=workspace)
        # For the journal under both of its names, and the log; two of its parents then, and not the workspace.
        disk.fill_with_files(leave=3)
        host.send(ExecuteRun(directory.name))
        wait_for(lambda: directory.log.exists() and b"workspace" in directory.log.read_bytes(), "the beginning")
        if is_aborted:
            host.send(AbortRun(directory.name, "ann"))
            assert host.finish(directory).outcome == ("aborted", "abort_requested")
        disk.make_room_for_files()
        if not is_aborted:
            ended = host.finish(directory)
            assert ended.outcome == ("succeeded", "completed")
            assert ended.outputs() == [b"hello\n"]
