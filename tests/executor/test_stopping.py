"""Abort, limits and what is left behind: a run ends with everything that it has begotten."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.host_messages import AbortRun, ExecuteRun
from job_orchestra.execution.process_tree import all_processes, read_run_marker
from job_orchestra.execution.run_directory import RunDirectory, wish_abort
from job_orchestra.protocol.run_key import RunKey
from tests.executor.hosting import Ended, Host, commands, wait_for


def processes_of(directory: RunDirectory) -> list[int]:
    return [pid for pid, one in all_processes().items() if not one.is_zombie and read_run_marker(pid) == directory.key]


def begin_and_wait(host: Host, line: str, **fields: object) -> RunDirectory:
    """Begins a run whose command says "ready" when it is where the test wants it."""
    directory = host.begin(commands(line), **fields)
    wait_for(lambda: directory.log.exists() and b"\nready\n" in directory.log.read_bytes(), "ready")
    return directory


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def pids_in(path: Path, count: int) -> list[int]:
    return wait_for(lambda: found if len(found := [*map(int, path.read_text().split())]) == count else [])


def test_abort(host: Host) -> None:
    directory = begin_and_wait(host, "echo ready; sleep 1000")
    host.abort(directory, by="ann")
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested")
    assert "ann" in ended.sentence
    assert ended.of("command_ended")[0]["exit_code"] == -signal.SIGTERM
    assert processes_of(directory) == []


def test_a_command_that_ignores_terminate_is_killed(host: Host) -> None:
    directory = begin_and_wait(host, "trap '' TERM; echo ready; while true; do sleep 1000; done")
    host.abort(directory)
    ended = host.finish(directory)
    assert ended.of("command_ended")[0]["exit_code"] == -signal.SIGKILL
    assert processes_of(directory) == []


def test_a_command_may_end_in_order(host: Host) -> None:
    directory = begin_and_wait(host, "trap 'echo bye; exit 9' TERM; echo ready; while true; do sleep 0.05; done")
    host.abort(directory)
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested")
    assert ended.of("command_ended")[0]["exit_code"] == 9
    assert b"\nbye\n" in ended.log


@pytest.mark.parametrize("is_aborted", [True, False], ids=["aborted", "ended by itself"])
def test_nothing_is_left_behind(host: Host, is_aborted: bool) -> None:
    """Descendants in other sessions, without parents, without environment, deaf to terminate, and stopped."""
    last = "sleep 1000" if is_aborted else "true"
    script = host.root / "script"
    script.write_text(
        "note='echo $$ >> pids; '\n"
        '(setsid sh -c "$note exec sleep 1000" &)\n'
        "(setsid sh -c \"(setsid sh -c '$note exec sleep 1000' > /dev/null 2>&1 &)\" &)\n"
        '(env -i setsid sh -c "$note exec sleep 1000" > /dev/null 2>&1 &)\n'
        "(setsid sh -c \"trap '' TERM HUP; $note while true; do sleep 1000; done\" &)\n"
        '(setsid sh -c "$note kill -STOP \\$\\$" &)\n'
        "until [ $(wc -l < pids) = 5 ]; do sleep 0.01; done\n"
        f"echo ready; {last}\n"
    )
    directory = begin_and_wait(host, f": > pids; . {script}")
    pids = pids_in(host.place() / "pids", 5)
    if is_aborted:
        assert not any(map(is_gone, pids))
        host.abort(directory)
    ended = host.finish(directory)
    assert ended.outcome[0] == ("aborted" if is_aborted else "succeeded")
    assert all(map(is_gone, pids))


def test_the_processes_of_other_runs_are_spared(host: Host) -> None:
    """Also those that are known by nothing but their parents, as long as they may be of another run."""
    other = begin_and_wait(host, "(env -i setsid sleep 1000 > /dev/null 2>&1 &) ; echo ready; sleep 1000", job="other")
    directory = begin_and_wait(host, "(setsid sleep 1000 &); echo ready; sleep 1000", job="one")
    own = {pid for pid, one in all_processes().items() if one.parent == host.pid}
    host.abort(directory)
    host.finish(directory)
    assert processes_of(directory) == []
    left = {pid for pid, one in all_processes().items() if one.parent == host.pid}
    assert left < own
    assert len(left) == 2
    host.abort(other)
    host.finish(other)
    assert not [pid for pid, one in all_processes().items() if one.parent == host.pid and not one.is_zombie]


def test_a_fork_bomb_is_ended(host: Host) -> None:
    line = (
        "echo ready; trap '' TERM; f() { sleep 0.01; f & f & wait; }; ulimit -u 4000; (setsid sh -c 'n=0; "
        "while [ $n -lt 30 ]; do (setsid sleep 1000 &); n=$((n+1)); done; sleep 1000' &); sleep 1000"
    )
    directory = begin_and_wait(host, line.replace("{", "{{").replace("}", "}}"))
    wait_for(lambda: len(processes_of(directory)) > 20)
    host.abort(directory)
    host.finish(directory)
    assert processes_of(directory) == []


def test_teardown_is_executed_after_an_abort(host: Host) -> None:
    definition = commands("echo ready; (setsid sleep 1000 &); sleep 1000", "echo never", teardown=["echo over"])
    directory = host.begin(definition)
    wait_for(lambda: directory.log.exists() and b"\nready\n" in directory.log.read_bytes())
    host.abort(directory)
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested")
    assert ended.outputs() == [b"ready\n", b"over\n"]


def test_teardown_has_a_limit_of_its_own(host: Host) -> None:
    limits = RunLimits(teardown_timeout=0.2, grace=0.5)
    ended = host.execute(commands("true", teardown=["sleep 1000", "echo never"]), limits=limits)
    assert ended.outcome == ("exception", "teardown_failed")
    assert b"\nnever\n" not in ended.log
    assert host.execute(commands("false", teardown=["sleep 1000"]), limits=limits).outcome[0] == "failed"


def test_an_abort_ends_teardown_too(host: Host) -> None:
    directory = host.begin(commands("true", teardown=["echo ready; sleep 1000"]))
    wait_for(lambda: directory.log.exists() and b"\nready\n" in directory.log.read_bytes())
    host.abort(directory)
    assert host.finish(directory).outcome == ("aborted", "abort_requested")


def test_the_time_limit(host: Host) -> None:
    began = time.monotonic()
    limits = RunLimits(timeout=0.3, grace=0.5)
    ended = host.execute(commands("sleep 1000", teardown=["echo over"]), limits=limits)
    assert ended.outcome == ("aborted", "time_limit")
    assert ended.outputs()[-1] == b"over\n"
    assert 0.3 < time.monotonic() - began < 5


def test_the_log_limit(host: Host) -> None:
    limits = RunLimits(log_size=100_000, grace=0.5)
    ended = host.execute(commands("yes | head -c 1000000; sleep 1000", teardown=["echo over"]), limits=limits)
    assert ended.outcome == ("aborted", "log_limit")
    assert ended.outputs()[-1] == b"over\n"


def test_the_log_limit_of_a_command_that_ends_at_once(host: Host) -> None:
    ended = host.execute(commands("head -c 5000000 /dev/zero", "echo never"), limits=RunLimits(log_size=1000))
    assert ended.outcome == ("aborted", "log_limit")
    assert len(ended.log) < 2000
    assert b"The log is cut here, at 1,000 of 5,000," in ended.log
    assert len(ended.of("command_started")) == 1


def test_a_log_grows_little_above_its_limit_however_fast_it_is_written(host: Host) -> None:
    limits = RunLimits(log_size=1_000_000, grace=30.0)
    began = time.monotonic()
    ended = host.execute(commands("trap '' TERM; cat /dev/zero", teardown=["echo over"]), limits=limits)
    assert ended.outcome == ("aborted", "log_limit")
    assert len(ended.log) < 1_100_000
    assert ended.outputs()[-1] == b"over\n"
    assert time.monotonic() - began < 15


def test_a_log_that_is_made_long_at_a_stroke_is_cut(host: Host) -> None:
    limits = RunLimits(log_size=1_000_000, grace=0.5)
    ended = host.execute(commands("truncate -s 3G /dev/stdout; sleep 1000"), limits=limits)
    assert ended.outcome == ("aborted", "log_limit")
    assert len(ended.log) < 1_100_000


def test_an_abort_in_teardown_ends_the_command_that_it_meets_and_no_other(host: Host) -> None:
    directory = host.begin(commands("true", teardown=["echo one; sleep 1000", "echo two", "echo three"]))
    wait_for(lambda: directory.log.exists() and b"\none\n" in directory.log.read_bytes())
    host.abort(directory)
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested")
    assert ended.outputs()[-2:] == [b"two\n", b"three\n"]


def test_a_wish_that_came_before_the_run_cancels_it(host: Host) -> None:
    directory = host.prepare(commands("echo never"))
    wish_abort(directory, "ann")
    host.send(ExecuteRun(directory.name))
    ended = host.finish(directory)
    assert ended.outcome == ("cancelled", "cancel_requested")
    assert [event.kind for event in ended.events] == ["ended"]
    assert ended.log == b""


def test_abort_at_any_moment_leaves_an_end_and_nothing_else(host: Host) -> None:
    for delay in range(20):
        directory = host.begin(commands("(setsid sleep 1000 &); sleep 1000"), job=f"job-{delay}")
        deadline = time.monotonic() + delay / 1000
        while time.monotonic() < deadline:
            pass
        host.abort(directory)
        assert host.finish(directory).outcome[0] in {"cancelled", "aborted"}
        assert processes_of(directory) == []


def test_an_abort_of_what_is_not_here_changes_nothing(host: Host) -> None:
    host.send(AbortRun("nothing.1"))
    ended = host.execute(commands("true"))
    host.abort(ended.directory)
    assert Ended(ended.directory).outcome == ("succeeded", "completed")


def test_shutdown_ends_the_runs_in_order(host: Host) -> None:
    directory = begin_and_wait(host, "echo ready; sleep 1000")
    os.kill(host.pid, signal.SIGTERM)
    assert host.finish(directory).outcome == ("aborted", "shutdown")
    assert host.wait_for_exit() == 0


def test_a_nested_marker_does_not_confuse(host: Host) -> None:
    """A run may start what looks like a run of its own."""
    line = "(ORCHESTRA_RUN=inner ORCHESTRA_ATTEMPT=1 setsid sleep 1000 &); echo ready; sleep 1000"
    directory = begin_and_wait(host, line)
    inner = wait_for(lambda: [pid for pid in all_processes() if read_run_marker(pid) == RunKey("inner", 1)])
    host.abort(directory)
    host.finish(directory)
    assert all(map(is_gone, inner))
