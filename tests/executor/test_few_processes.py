"""A host that may start no more processes and threads: commands wait, and what has ended ends."""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.run_directory import RunDirectory
from tests.executor.hosting import Host, commands, hosting, wait_for
from tests.services import missing

_USER = 54321
"""Nobody's: for the limit does not hold for root."""
_AS_THAT_USER = (
    "setpriv",
    f"--reuid={_USER}",
    "--inh-caps=+dac_read_search,+dac_override",
    "--ambient-caps=+dac_read_search,+dac_override",
)


@pytest.fixture
def as_user() -> Sequence[str]:
    """What begins a command that is to be executed as a user for whom the limit holds."""
    if shutil.which("setpriv") is None or shutil.which("prlimit") is None:
        missing("A limit of processes (setpriv and prlimit of util-linux)")
    return _AS_THAT_USER if os.getuid() == 0 else ()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_user: Sequence[str]) -> Iterator[Host]:
    interpreter = tmp_path / "interpreter"
    interpreter.write_text(f'#!/bin/sh\nexec {shlex.join((*as_user, sys.executable))} "$@"\n')
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    with hosting(tmp_path) as one:
        yield one


@pytest.fixture
def limit(host: Host, as_user: Sequence[str]) -> Callable[[str], None]:
    """Sets how many processes and threads the host's user may have, by "1" or "" for the most."""
    most = resource.prlimit(os.getpid(), resource.RLIMIT_NPROC)[1]

    def set_it(processes: str) -> None:
        value = processes or ("unlimited" if most == resource.RLIM_INFINITY else str(most))
        subprocess.run([*as_user, "prlimit", f"--pid={host.pid}", f"--nproc={value}:"], check=True)

    return set_it


def has_said(directory: RunDirectory, words: bytes) -> bool:
    return directory.log.exists() and words in directory.log.read_bytes()


def test_commands_and_teardown_wait_to_be_started(host: Host, limit: Callable[[str], None]) -> None:
    limit("1")
    directory = host.begin(commands("echo hello", teardown=["echo over"]))
    wait_for(lambda: has_said(directory, b"$ sh -c"), "the command")
    limit("")
    ended = host.finish(directory)
    assert ended.outcome == ("succeeded", "completed")
    assert ended.outputs() == [b"hello\n", b"over\n"]


@pytest.mark.parametrize("wish", ["abort", "time limit"])
def test_a_run_that_waits_can_be_ended(host: Host, limit: Callable[[str], None], wish: str) -> None:
    limit("1")
    limits = RunLimits(grace=0.2, timeout=0.5 if wish == "time limit" else None, teardown_timeout=0.5)
    directory = host.begin(commands("echo never", teardown=["echo over"]), limits=limits)
    wait_for(lambda: has_said(directory, b"$ sh -c"), "the command")
    if wish == "abort":
        host.abort(directory)
    ended = host.finish(directory)
    assert ended.outcome == ("aborted", "abort_requested" if wish == "abort" else "time_limit")
    assert ended.outputs() == []


def test_a_run_ends_although_no_thread_can_be_started(host: Host, limit: Callable[[str], None]) -> None:
    """Its workspace goes, and its log is measured, in threads."""
    line = "mkdir deep; seq 100000; touch ready; until [ -e go ]; do sleep 0.01; done"
    directory = host.begin(commands(line), workspace=Workspace.RUN)
    workspace = host.root / "workspaces/run" / directory.name
    wait_for((workspace / "ready").exists, "the command")
    (workspace / "go").touch()
    limit("1")
    # Where the shell could not start its `sleep`, it has returned an error.
    assert host.finish(directory).outcome in {("succeeded", "completed"), ("failed", "command_failed")}
    assert not workspace.exists()
