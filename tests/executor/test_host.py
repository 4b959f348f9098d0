"""The host itself: whom it serves, what it withstands, when it goes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from job_orchestra.execution.host_messages import (
    AreYouThere,
    ExecuteRun,
    HereIAm,
    HostHello,
    RunFinished,
    StopWhenIdle,
    encode_host_message,
)
from job_orchestra.execution.process_identity import identity_from_data, is_alive, own_identity
from tests.executor.hosting import Host, commands, hosting, read_json, wait_for


def test_a_host_greets_with_its_identity_and_runs(host: Host) -> None:
    identity = host.hello.identity
    assert identity.pid == host.pid
    assert is_alive(identity)
    assert identity_from_data(read_json(host.directory.identity)) == identity
    directory = host.begin(commands("until [ -e go ]; do sleep 0.01; done"))
    wait_for(directory.journal.exists)
    host.reconnect()
    assert host.hello.active == (directory.name,)
    (host.place() / "go").touch()
    assert host.finish(directory).outcome == ("succeeded", "completed")


def test_runs_go_on_without_a_worker(host: Host) -> None:
    directory = host.begin(commands("until [ -e go ]; do sleep 0.01; done; echo on"))
    wait_for(directory.journal.exists)
    host.disconnect()
    (host.place() / "go").touch()
    wait_for(lambda: b'"kind":"ended"' in directory.journal.read_bytes())
    host.reconnect()
    assert host.hello.active == ()


def test_a_host_is_in_a_session_of_its_own(host: Host) -> None:
    assert os.getsid(host.pid) == host.pid != os.getsid(0)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"nonsense\n",
        b"{}\n",
        b'{"execute": 5}\n',
        b"[" * 50_000 + b"\n",
        b"x" * 200_000,
        b"\xff\xfe\n",
        b"\n",
        b'{"exe',
    ],
)
def test_nonsense_is_left_alone_and_costs_a_connection_at_most(tmp_path: Path, nonsense: bytes) -> None:
    host = Host(tmp_path)
    try:
        directory = host.begin(commands("until [ -e go ]; do sleep 0.01; done"))
        with host.directory.connect() as other:
            other.settimeout(20)
            other.sendall(nonsense)
            if nonsense.endswith(b"\n"):
                # What is said behind it is heeded.
                other.sendall(encode_host_message(AreYouThere()))
                heard = b""
                while not heard.endswith(encode_host_message(HereIAm())):
                    heard += other.recv(65536)
            elif len(nonsense) < 100:
                other.close()
            else:
                while other.recv(65536):
                    pass
        (host.place() / "go").touch()
        assert host.finish(directory).outcome == ("succeeded", "completed")
    finally:
        os.kill(host.pid, signal.SIGKILL)
        host.disconnect()
        host.wait_for_exit()


@pytest.mark.parametrize("name", ["", ".", "..", "../x.1", "a/b.1", "nothing.1", "x", "x.0", "x.-1", "é.1"])
def test_names_that_are_no_run_directories(host: Host, name: str) -> None:
    host.send(ExecuteRun(name))
    assert host.execute(commands("true")).outcome == ("succeeded", "completed")


def test_a_host_stops_when_idle(host: Host) -> None:
    directory = host.begin(commands("until [ -e go ]; do sleep 0.01; done"))
    wait_for(directory.journal.exists)
    host.send(StopWhenIdle())
    late = host.begin(commands("echo late"))
    (host.place() / "go").touch()
    assert host.finish(directory).outcome == ("succeeded", "completed")
    assert host.wait_for_exit() == 0
    assert not late.journal.exists()


def test_workers_that_come_in_its_last_moment_do_not_disturb_its_end(host: Host) -> None:
    os.kill(host.pid, signal.SIGSTOP)
    late = [host.directory.connect() for _ in range(20)]
    os.kill(host.pid, signal.SIGTERM)
    os.kill(host.pid, signal.SIGCONT)
    assert host.wait_for_exit() == 0
    assert host.directory.output.read_text() == ""
    for connection in late:
        connection.close()


def test_an_idle_host_without_a_worker_goes(tmp_path: Path) -> None:
    with hosting(tmp_path, linger=0.2) as host:
        directory = host.begin(commands("until [ -e go ]; do sleep 0.01; done; sleep 0.5"))
        wait_for(directory.journal.exists)
        host.disconnect()
        (host.place() / "go").touch()
        assert host.wait_for_exit() == 0
        # It has not gone before its run was done.
        assert b'"kind":"ended"' in directory.journal.read_bytes()


def test_several_workers_hear_of_an_end(host: Host) -> None:
    with host.directory.connect() as other, other.makefile("rb") as file:
        from job_orchestra.execution.host_messages import decode_to_worker

        assert isinstance(decode_to_worker(file.readline()), HostHello)
        ended = host.execute(commands("true"))
        assert decode_to_worker(file.readline()) == RunFinished(ended.directory.name)


def test_a_long_path(tmp_path: Path) -> None:
    root = tmp_path / ("d" * 100) / ("e" * 100)
    root.mkdir(parents=True)
    with hosting(root) as host:
        assert host.execute(commands("true")).outcome == ("succeeded", "completed")


def test_orphans_are_reaped(host: Host) -> None:
    host.execute(commands("for n in 1 2 3 4 5; do (setsid true &); done"))
    children = Path(f"/proc/{host.pid}/task/{host.pid}/children")
    wait_for(lambda: children.read_text() == "")


def test_many_runs_at_once(host: Host) -> None:
    directories = [host.begin(commands("echo $ORCHESTRA_RUN"), job=f"job-{number}") for number in range(50)]
    for directory in directories:
        assert host.finish(directory).outputs() == [f"{directory.key.run}\n".encode()]


def test_own_identity_is_alive() -> None:
    assert is_alive(own_identity())
