from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from job_orchestra.execution.process_end import end_processes
from job_orchestra.execution.process_identity import (
    ProcessIdentity,
    boot_identifier,
    identity_from_data,
    identity_to_data,
    is_alive,
    own_identity,
    read_process,
)
from job_orchestra.execution.process_tree import LogFile, all_processes, find_marked, read_run_marker, writes_to
from job_orchestra.protocol.run_key import RunKey
from tests.executor.hosting import wait_for


@contextmanager
def process(*arguments: str, **options: object) -> Generator[subprocess.Popen[bytes]]:
    """In a session of its own, as commands are; ended with everything in that session."""
    child: subprocess.Popen[bytes] = subprocess.Popen(arguments, start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def identity_of(pid: int) -> ProcessIdentity:
    one = read_process(pid)
    assert one is not None
    return ProcessIdentity(one.pid, one.start, boot_identifier())


# ---------- identity


def test_identity_is_safe_against_reuse_and_reboot() -> None:
    own = own_identity()
    assert is_alive(own)
    assert not is_alive(replace(own, start=own.start + 1))
    assert not is_alive(replace(own, boot="another"))
    assert identity_from_data(identity_to_data(own)) == own
    assert identity_from_data({"pid": "1"}) is None


def test_what_has_ended_is_not_alive_even_before_it_is_reaped() -> None:
    with process("sleep", "1000") as child:
        identity = identity_of(child.pid)
        assert is_alive(identity)
        child.kill()
        wait_for(lambda: (one := read_process(child.pid)) is not None and one.is_zombie)
        assert not is_alive(identity)
    assert not is_alive(identity)


def test_a_name_of_a_process_may_contain_anything(tmp_path: Path) -> None:
    program = tmp_path / "a) R (b"
    program.symlink_to("/bin/sleep")
    with process(str(program), "1000") as child:
        one = read_process(child.pid)
        assert one is not None
        assert (one.parent, one.session) == (os.getpid(), child.pid)


# ---------- the tree


def test_processes_are_known_by_their_environment_and_what_is_below(tmp_path: Path) -> None:
    key = RunKey("tree-by-environment", 2)
    environment = {**os.environ, "ORCHESTRA_RUN": key.run, "ORCHESTRA_ATTEMPT": "2"}
    line = f"(env -i setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 1000' > /dev/null &) ; sleep 1000"
    script = f"setsid env -i sh -c 'echo $$ > {tmp_path}/child; exec sleep 1000' & {line}"
    with process("sh", "-c", script, env=environment) as child:
        shed = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
        wait_for(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
        assert read_run_marker(child.pid) == key
        found = {one.pid for one in find_marked({key}, set(), set())}
        assert child.pid in found
        assert int((tmp_path / "child").read_text()) in found
        assert find_marked({RunKey(key.run, 1)}, set(), set()) == []
        assert child.pid not in {one.pid for one in find_marked({key}, set(), {child.pid})}
        asyncio.run(end_processes(lambda: find_marked({key}, set(), set()), 1.0))
        assert find_marked({key}, set(), set()) == []
        # What shed everything and lost its parents is known only to who adopted it.
        os.kill(shed, signal.SIGKILL)


def test_processes_are_known_by_the_log_that_they_write(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as log, process("env", "-i", "sleep", "1000", stdout=log) as writer:
        file = LogFile.at(path)
        assert file is not None
        with path.open("rb") as reading, process("sleep", "1000", stdin=reading, stdout=reading) as reader:
            wait_for(lambda: writes_to(writer.pid, {file}))
            assert not writes_to(reader.pid, {file})
            found = {one.pid for one in find_marked(set(), {file}, {os.getpid()})}
            assert found == {writer.pid}
    assert LogFile.at(tmp_path / "none") is None


# ---------- ending


def test_ending_is_gentle_first() -> None:
    script = "trap 'exit 9' TERM; echo ready; while true; do sleep 0.01; done"
    with process("sh", "-c", script, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        with child.stdout as output:
            output.readline()
            assert end(child.pid, grace=20) == []
        assert child.wait() == 9


def test_ending_is_hard_in_the_end() -> None:
    with process("sh", "-c", "trap '' TERM; echo ready; sleep 1000", stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        with child.stdout as output:
            output.readline()
            assert end(child.pid, grace=0.1) == []
        assert child.wait() == -signal.SIGKILL


def test_a_stopped_process_ends() -> None:
    with process("sleep", "1000") as child:
        os.kill(child.pid, signal.SIGSTOP)
        assert end(child.pid, grace=20) == []
        assert child.wait() == -signal.SIGTERM


def test_ending_does_not_mean_who_has_taken_the_pid_since() -> None:
    with process("sleep", "1000") as child:
        one = read_process(child.pid)
        assert one is not None
        looks = [[replace(one, start=one.start - 1)]]
        asyncio.run(end_processes(lambda: looks.pop() if looks else [], 5.0))
        assert child.poll() is None


def end(pid: int, grace: float) -> list[object]:
    """Everything in the session of the process."""

    def find() -> list[object]:
        return [one for one in all_processes().values() if one.session == pid and not one.is_zombie]

    return list(asyncio.run(end_processes(find, grace)))  # type: ignore[arg-type]


# ---------- lightness


def test_an_executor_host_loads_nearly_nothing() -> None:
    """No third party's package, nothing of network or database; and quickly."""
    program = Path("src/job_orchestra/executor/__main__.py").resolve()
    code = (
        "import runpy, sys\n"
        f"try: runpy.run_path({str(program)!r}, run_name='__main__')\n"
        "except ValueError: pass\n"  # for want of arguments, behind the imports
        "print('\\n'.join(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE, check=True, text=True)
    modules = set(done.stdout.split())
    assert "job_orchestra.executor.host" in modules
    ours = {name.split(".")[1] for name in modules if name.startswith("job_orchestra.")}
    assert ours == {"domain", "execution", "executor", "fail_points", "protocol", "version"}
    assert not any(name.startswith("job_orchestra.protocol.") for name in modules - {"job_orchestra.protocol.run_key"})
    known = set(sys.stdlib_module_names) | {"job_orchestra", "__main__"}
    assert {name.partition(".")[0] for name in modules} - known == set()


@pytest.mark.parametrize("pid", [0, 1 << 22])
def test_a_pid_of_nobody(pid: int) -> None:
    assert read_process(pid) is None
    assert read_run_marker(pid) is None
