"""The end of process trees that do what they can to stay."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

from job_orchestra.domain.jobs import RunLimits
from job_orchestra.domain.json import JsonObject
from job_orchestra.execution.process_tree import all_processes
from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.execution.run_tag import read_tag, tag_of
from job_orchestra.protocol.run_key import RunKey
from tests.executor import stubborn
from tests.executor.hosting import Host, commands, wait_for

ALL = tuple(stubborn.KINDS)


def line(kind: str, count: int = 1) -> str:
    return f'{shlex.join([sys.executable, stubborn.__file__, kind])} "$PWD/pids" {count}'


def processes_of(directory: RunDirectory) -> list[int]:
    """By the tag, which none of them sheds."""
    tag = tag_of(directory.key)
    return [pid for pid in all_processes() if read_tag(pid) == tag and is_executing(pid)]


def is_executing(pid: int) -> bool:
    """In any of its threads."""
    try:
        states = [path.read_bytes().rpartition(b") ")[2][:1] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:
        return False
    return not set(states) <= {b"Z", b"X"}


def begin(host: Host, *lines: str, count: int, job: str = "test", **fields: object) -> RunDirectory:
    definition = fields.pop("definition", None) or commands(*lines)
    directory = host.begin(definition, job=job, **fields)  # type: ignore[arg-type]
    wait_for(lambda: len(noted(host, job)) >= count, "the processes")
    return directory


def noted(host: Host, job: str = "test") -> list[int]:
    path = host.place(job) / "pids"
    return [int(word) for word in path.read_text().split()] if path.exists() else []


@pytest.mark.parametrize("kind", ALL)
def test_abort_ends(host: Host, kind: str) -> None:
    directory = begin(host, f"{line(kind, 3)}; sleep 1000", count=3)
    host.abort(directory)
    assert host.finish(directory).outcome == ("aborted", "abort_requested")
    assert processes_of(directory) == []


@pytest.mark.parametrize("kind", ALL)
def test_the_end_of_the_commands_ends(host: Host, kind: str) -> None:
    ended = host.execute(commands(f"{line(kind, 2)}; until [ -s pids ]; do sleep 0.01; done"))
    assert ended.outcome == ("succeeded", "completed")
    assert processes_of(ended.directory) == []


def test_a_command_whose_first_thread_has_exited_is_ended(host: Host) -> None:
    program = [sys.executable, "-S", stubborn.__file__, "headless", "pids", stubborn.HERE]
    limits = RunLimits(timeout=1.0, grace=0.3)
    directory = host.begin(commands(program, "echo never", teardown=["echo over"]), limits=limits)
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "time_limit")
    assert ended.outputs()[-1] == b"over\n"
    assert processes_of(directory) == []


def test_beside_another_run(host: Host) -> None:
    """What has shed everything belongs to its own run nevertheless: it does not stay until the other one ends."""
    other = begin(host, f"{line('daemon', 2)}; sleep 1000", count=2, job="other")
    directory = begin(host, f"{line('daemon', 2)}; sleep 1000", count=2)
    host.abort(directory)
    host.finish(directory)
    assert processes_of(directory) == []
    assert set(noted(host, "other")) < set(processes_of(other))
    host.abort(other)
    host.finish(other)
    assert processes_of(other) == []


_UNTAGGED = (
    "import os, resource, sys; own = resource.getrlimit(10)[1]; resource.setrlimit(10, (own, own)); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def test_what_has_shed_even_its_tag_ends_with_the_last_run_however_many_end_at_once(host: Host) -> None:
    """The one run has looked for what is left and reads its large log when the other comes to its end."""
    large = host.begin(commands("until [ -e go ]; do sleep 0.01; done; head -c 300M /dev/zero"), job="large")
    log = shlex.quote(str(large.log))
    wait = f"until [ -s pids ] && tail -c 100 {log} | grep -q 'Run succeeded'; do sleep 0.01; done"
    shed = shlex.join([sys.executable, "-c", _UNTAGGED, sys.executable, stubborn.__file__, "daemon"])
    directory = begin(host, f'{shed} "$PWD/pids"; {wait}', count=1)
    (pid,) = noted(host)
    assert read_tag(pid) is None
    (host.place("large") / "go").touch()
    assert host.finish(directory).outcome == ("succeeded", "completed")
    host.finish(large)
    wait_for(lambda: not is_executing(pid), "the end of the process")


# ---------- in each phase, for each reason

_WAITING = "echo ready; sleep 1000"
_PHASES = {
    "setup": commands("echo never", setup=[f"{line('daemon')}; {_WAITING}"], teardown=["echo over"]),
    "commands": commands(f"{line('daemon')}; {_WAITING}", "echo never", teardown=["echo over"]),
    "teardown": commands("true", teardown=[f"{line('daemon')}; {_WAITING}"]),
}


@pytest.mark.parametrize("phase", _PHASES)
def test_abort_during(host: Host, phase: str) -> None:
    directory = begin(host, definition=_PHASES[phase], count=1)
    host.abort(directory)
    host.abort(directory)  # again: of no effect
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested")
    assert (b"\nover\n" in ended.log) == (phase != "teardown")
    assert b"\nnever\n" not in ended.log
    assert processes_of(directory) == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"timeout": 0.5}, "time_limit"), ({"log_size": 1000}, "log_limit")],
    ids=["time limit", "log limit"],
)
@pytest.mark.parametrize("phase", ["setup", "commands"])
def test_a_limit_during(host: Host, phase: str, limits: dict[str, float], reason: str) -> None:
    noisy = f"{line('daemon')}; yes | head -c 5000; {_WAITING}"
    others: JsonObject = {"teardown": [["sh", "-c", "echo over"]], "commands": [["echo", "never"]]}
    definition = {**commands(), **others, phase: [["sh", "-c", noisy]]}
    ended = host.execute(definition, limits=RunLimits(grace=0.3, **limits))  # type: ignore[arg-type]
    assert ended.outcome == ("aborted", reason)
    assert ended.outputs()[-1] == b"over\n"
    assert b"\nnever\n" not in ended.log
    assert processes_of(ended.directory) == []


def test_what_is_left_is_ended_before_teardown(host: Host) -> None:
    """Lest it disturbs what teardown cleans up."""
    definition = commands(
        f"{line('daemon', 2)}; {_WAITING}",
        teardown=["for pid in $(cat pids); do test -e /proc/$pid && echo left; done; echo over"],
    )
    directory = begin(host, definition=definition, count=2)
    host.abort(directory)
    ended = host.finish(directory)
    assert ended.outputs()[-1] == b"over\n"


def test_teardown_that_hangs_after_an_abort_is_ended_by_its_own_limit(host: Host) -> None:
    """And by nothing else: a second abort does not cut it short."""
    definition = commands(_WAITING, teardown=[f"{line('daemon', 2)}; echo clearing; sleep 1000", "echo never"])
    limits = RunLimits(grace=0.2, teardown_timeout=1.0)
    directory = host.begin(definition, limits=limits)
    wait_for(lambda: directory.log.exists() and b"\nready\n" in directory.log.read_bytes())
    host.abort(directory)
    wait_for(lambda: b"\nclearing\n" in directory.log.read_bytes() and len(noted(host)) == 2)
    host.abort(directory)
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested")
    assert ended.of("command_ended")[-1]["duration"] >= 0.9
    assert b"\nnever\n" not in ended.log
    assert processes_of(directory) == []


def test_teardown_may_not_write_without_limit(host: Host) -> None:
    limits = RunLimits(grace=0.2, log_size=1000)
    definition = commands("true", teardown=["seq 2000; sleep 1000"])
    assert host.execute(definition, limits=limits).outcome == ("aborted", "log_limit")
    # That of a run that was stopped gets a little more, and not more than that.
    definition = commands("seq 2000; sleep 1000", teardown=["seq 500000; sleep 1000", "echo never"])
    ended = host.execute(definition, limits=limits)
    assert ended.outcome == ("aborted", "log_limit")
    assert b"\nnever\n" not in ended.log


def test_a_daemon_that_holds_the_log_does_not_hold_the_run(host: Host) -> None:
    """A command has ended when its process has, whoever has its output open."""
    lines = ("(setsid sleep 1000 &)", "(setsid sh -c 'trap \"\" TERM; sleep 1000' &)")
    ended = host.execute(commands(*lines), limits=RunLimits(timeout=20.0, grace=0.2))
    assert ended.outcome == ("succeeded", "completed")
    assert processes_of(ended.directory) == []


def test_the_time_limit_while_a_daemon_holds_a_pipe(host: Host) -> None:
    limits = RunLimits(timeout=0.5, grace=0.2)
    ended = host.execute(commands("(setsid sh -c 'trap \"\" TERM; sleep 1000' &) | cat"), limits=limits)
    assert ended.outcome == ("aborted", "time_limit")
    assert processes_of(ended.directory) == []


def test_the_result_limit(host: Host) -> None:
    big = "(printf '{{\"a\": \"'; seq 2000 | tr -d '\\n'; printf '\"}}') > $ORCHESTRA_RESULT_FILE"
    limits = RunLimits(grace=0.2, results_size=1000)
    definition = commands(f"{line('daemon')}; {big}", "echo never", teardown=["echo over"])
    ended = host.execute(definition, limits=limits)
    assert ended.outcome == ("exception", "result_limit")
    assert ended.outputs()[-1] == b"over\n"
    assert b"\nnever\n" not in ended.log
    assert processes_of(ended.directory) == []


def test_a_host_that_is_asked_to_end_ends_everything(host: Host) -> None:
    directory = begin(host, f"{line('daemon', 2)}; {_WAITING}", count=2)
    os.kill(host.pid, signal.SIGTERM)
    assert host.finish(directory).outcome == ("aborted", "shutdown")
    assert processes_of(directory) == []
    assert host.wait_for_exit() == 0


def test_a_tag_is_of_one_attempt() -> None:
    keys = [RunKey(run, attempt) for run in ("a", "b", "a.1") for attempt in (1, 2, 11)]
    assert len(set(map(tag_of, keys))) == len(keys)
    assert read_tag(os.getpid()) is None
    assert read_tag(1 << 22) is None
