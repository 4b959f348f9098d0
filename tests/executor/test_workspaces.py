from __future__ import annotations

from pathlib import Path

import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.execution.run_directory import RunDirectory
from tests.executor.hosting import Host, commands, hosting, wait_for

# Fails if another run is in the directory at the same time.
_EXCLUSIVE = "mkdir inside || exit 1; sleep 0.03; rmdir inside"


def is_waiting(directory: RunDirectory) -> bool:
    return directory.log.exists() and b"Waiting for the workspace" in directory.log.read_bytes()


@pytest.mark.parametrize("workspace", [Workspace.JOB, Workspace.PROJECT])
def test_a_workspace_is_never_shared_by_two_runs_at_once(host: Host, workspace: Workspace) -> None:
    jobs = ["one"] * 8 if workspace is Workspace.JOB else ["one", "two"] * 4
    directories = [host.begin(commands(_EXCLUSIVE), workspace=workspace, job=job) for job in jobs]
    assert {host.finish(directory).outcome[0] for directory in directories} == {"succeeded"}
    assert any(map(is_waiting, directories))


def test_workspaces_are_kept_and_apart(host: Host) -> None:
    host.execute(commands("echo kept > file"), job="one")
    assert host.execute(commands("cat file"), job="one").outputs() == [b"kept\n"]
    assert host.execute(commands("ls"), job="two").outputs() == [b""]
    host.execute(commands("echo project > file"), job="one", workspace=Workspace.PROJECT)
    assert host.execute(commands("cat file"), job="two", workspace=Workspace.PROJECT).outputs() == [b"project\n"]


def test_runs_of_a_job_wait_in_order(host: Host) -> None:
    directories = [host.begin(commands(f"echo {number} >> order")) for number in range(6)]
    for directory in directories:
        host.finish(directory)
    assert host.execute(commands("cat order")).outputs() == [b"0\n1\n2\n3\n4\n5\n"]


def test_a_fresh_workspace_is_removed(host: Host) -> None:
    line = "pwd; ls; mkdir -p deep/deeper; echo x > deep/deeper/file; chmod 500 deep/deeper deep"
    ended = [host.execute(commands(line), workspace=Workspace.RUN) for _ in range(2)]
    paths = [Path(one.outputs()[0].decode().strip()) for one in ended]
    assert len(set(paths)) == 2
    assert not any(path.exists() for path in paths)
    assert all(one.outcome == ("succeeded", "completed") for one in ended)


def test_a_run_may_remove_its_own_workspace(host: Host) -> None:
    ended = host.execute(commands('rm -rf "$PWD"'), workspace=Workspace.RUN)
    assert ended.outcome == ("succeeded", "completed")


def test_fresh_workspaces_do_not_wait_for_each_other(host: Host) -> None:
    place = host.root / "place"
    place.mkdir()
    definition = commands(f"cd {place}; touch $ORCHESTRA_RUN; until [ $(ls | wc -l) = 3 ]; do sleep 0.01; done")
    directories = [host.begin(definition, workspace=Workspace.RUN) for _ in range(3)]
    assert {host.finish(directory).outcome[0] for directory in directories} == {"succeeded"}


def test_a_run_that_waits_can_be_aborted(host: Host) -> None:
    first = host.begin(commands("until [ -e go ]; do sleep 0.01; done"))
    second, third = host.begin(commands("echo second")), host.begin(commands("echo third", teardown=["echo over"]))
    wait_for(lambda: is_waiting(second) and is_waiting(third))
    host.abort(second)
    ended = host.finish(second)
    assert ended.outcome == ("aborted", "abort_requested")
    assert ended.of("command_started") == []
    (host.place() / "go").touch()
    assert host.finish(third).outcome == ("succeeded", "completed")
    assert host.finish(first).outcome == ("succeeded", "completed")


def test_two_hosts_do_not_share_a_workspace(host: Host, tmp_path: Path) -> None:
    first = host.begin(commands("touch here; until [ -e go ]; do sleep 0.01; done; rm here"))
    place = host.place()
    wait_for((place / "here").exists)
    other_place = tmp_path / "other"
    other_place.mkdir()
    (other_place / "workspaces").symlink_to(tmp_path / "workspaces")
    with hosting(other_place) as other:
        second = other.begin(commands("ls"), run="second")
        aborted = other.begin(commands("ls"), run="aborted")
        wait_for(lambda: is_waiting(second) and is_waiting(aborted))
        other.abort(aborted)
        assert other.finish(aborted).outcome == ("aborted", "abort_requested")
        (place / "go").touch()
        assert host.finish(first).outcome == ("succeeded", "completed")
        assert other.finish(second).outputs() == [b"go\n"]


def test_a_workspace_that_cannot_be_made(host: Host) -> None:
    (host.root / "workspaces").mkdir()
    (host.root / "workspaces" / "job").write_text("in the way")
    ended = host.execute(commands("true", teardown=["true"]))
    assert ended.outcome == ("exception", "workspace_failed")
    assert ended.of("command_started") == []
    ended = host.execute(commands("true"), project="../outside")
    assert ended.outcome == ("exception", "workspace_failed")


def test_a_workspace_that_a_run_removes_is_made_again(host: Host) -> None:
    host.execute(commands('rm -r "$PWD"'))
    assert host.execute(commands("pwd")).outcome == ("succeeded", "completed")


def test_a_host_does_not_take_itself_for_another(host: Host) -> None:
    """A command that is being started has, for a moment, whatever its host has open."""
    directories = [host.begin(commands(["true"]), job=f"job-{number % 4}") for number in range(80)]
    for directory in directories:
        assert b"another executor host" not in host.finish(directory).log
