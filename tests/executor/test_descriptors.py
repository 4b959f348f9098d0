"""A host that has few descriptors, or none: runs wait, and end nevertheless."""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.process_tree import all_processes
from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.execution.run_tag import read_tag, tag_of
from tests.executor.hosting import Host, commands, hosting, wait_for


def processes_of(directory: RunDirectory) -> list[int]:
    tag = tag_of(directory.key)
    return [pid for pid, one in all_processes().items() if not one.is_zombie and read_tag(pid) == tag]


def limit(host: Host, descriptors: int) -> None:
    resource.prlimit(host.pid, resource.RLIMIT_NOFILE, (descriptors, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@contextmanager
def own_limit(descriptors: int) -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_host_takes_what_it_may_and_commands_get_what_it_was_given(tmp_path: Path) -> None:
    with own_limit(512), hosting(tmp_path) as host:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        assert resource.prlimit(host.pid, resource.RLIMIT_NOFILE) == (hard, hard)
        assert host.execute(commands("ulimit -Sn; ulimit -Hn")).outputs() == [f"512\n{hard}\n".encode()]


def test_runs_wait_for_descriptors(host: Host) -> None:
    limit(host, 100)
    definition = commands("echo $ORCHESTRA_RUN; until [ -e ../go ]; do sleep 0.05; done")
    directories = [host.begin(definition, job=f"job-{number}") for number in range(50)]
    wait_for(lambda: sum(directory.log.exists() for directory in directories) >= 4)
    assert not all(directory.log.exists() for directory in directories)
    aborted = [directories[0], directories[-1]]
    for directory in aborted:
        host.abort(directory)
    assert [host.finish(directory).outcome[0] for directory in aborted] == ["aborted", "cancelled"]
    (host.place() / "../go").touch()
    for directory in directories[1:-1]:
        ended = host.finish(directory)
        assert ended.outcome == ("succeeded", "completed")
        assert ended.outputs() == [f"{directory.key.run}\n".encode()]


def test_the_end_of_a_run_with_many_processes_takes_no_descriptors_from_others(host: Host) -> None:
    limit(host, 160)
    line = "trap '' TERM; for n in $(seq 200); do sleep 1000 & done; echo ready; wait"
    directory = host.begin(commands(line), limits=RunLimits(grace=2.0))
    wait_for(lambda: directory.log.exists() and b"\nready\n" in directory.log.read_bytes(), "the processes")
    host.abort(directory)
    others = [host.begin(commands("echo other"), workspace=Workspace.RUN) for _ in range(12)]
    assert {host.finish(other).outcome for other in others} == {("succeeded", "completed")}
    assert host.finish(directory).outcome == ("aborted", "abort_requested")
    assert processes_of(directory) == []


@pytest.mark.parametrize("more", [0, 1, 2])
def test_an_abort_without_a_descriptor_waits_for_one(host: Host, more: int) -> None:
    """Nothing is taken for gone because it cannot be looked at."""
    directory = host.begin(commands("echo ready; sleep 1000", teardown=["echo over"]))
    wait_for(lambda: directory.log.exists() and b"\nready\n" in directory.log.read_bytes())
    limit(host, len(list(Path(f"/proc/{host.pid}/fd").iterdir())) + more)
    host.abort(directory)
    wait_for(host.has_read_everything)
    limit(host, 1000)
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested")
    assert ended.outputs() == [b"ready\n", b"over\n"]
    assert processes_of(directory) == []
