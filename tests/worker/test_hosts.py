"""The worker and its executor hosts: one host for the same commands, told again what it may have missed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from job_orchestra.domain.job_data import limits_to_data
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.host_directory import HostDirectory
from job_orchestra.execution.host_messages import HostHello, encode_host_message
from job_orchestra.execution.process_identity import own_identity
from job_orchestra.worker.hindrances import Hindrances
from job_orchestra.worker.host_link import HostLink
from tests.executor.hosting import commands
from tests.worker.standing_in import StandInMaster, host_pids, run, working
from tests.worker.test_recovery import begin, directory_of, let_go, look, processes_of


def connections_to_hosts() -> list[socket.socket]:
    """Of this process, in which the worker of a test is: duplicates, to be closed."""
    found: list[socket.socket] = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            one = socket.socket(fileno=os.dup(int(descriptor.name)))
            if one.family is socket.AF_UNIX and str(one.getpeername()).endswith("/socket"):
                found.append(one)
            else:
                one.close()
    return found


def outputs_of_hosts(directory: Path) -> list[Path]:
    return list(directory.glob("hosts/*/output"))


def test_a_broken_connection_to_a_host_that_lives_is_opened_again(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            stored = await begin(master)
            pids = host_pids(directory)
            (connection,) = connections_to_hosts()
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
            # Both of these come while there is no connection.
            following = await master.execute(commands("echo following"))
            await master.abort(stored)
            assert (await master.finish(following)).outcome == ("succeeded", "completed")
            assert (await master.finish(stored)).outcome == ("aborted", "abort_requested")
            assert host_pids(directory) == pids

    run(test)


def test_a_host_may_have_any_number_of_runs(tmp_path: Path) -> None:
    async def test() -> None:
        directory = HostDirectory(tmp_path)
        names = tuple(f"01m85kb309z79{number:06}.1" for number in range(10_000))
        greeting = encode_host_message(HostHello("1", own_identity(), names))

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            await reader.read()
            writer.close()
            await writer.wait_closed()
            is_over.set()

        is_over = asyncio.Event()
        async with await asyncio.start_unix_server(greet, sock=directory.listen()):
            link = await HostLink.open(directory)
            assert link.hello.active == names
            await link.close()
            await is_over.wait()

    run(test)


def test_a_host_that_was_stopped_is_said_to_be_and_gets_no_new_runs(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url, host_interval=0.1):
            stored = await begin(master)
            (pid,) = host_pids(directory)
            os.kill(pid, signal.SIGSTOP)
            try:
                await master.until(lambda: master.hindrances == ["has an executor host that does not answer"])
            finally:
                os.kill(pid, signal.SIGCONT)
            await master.until(lambda: master.hindrances[1:] == [""])
            let_go(directory, stored)
            await master.finish(stored)

    run(test)


def test_a_stopped_host_whose_worker_was_restarted_again_and_again_hears_of_aborts(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            (stopped,) = host_pids(directory)
            os.kill(stopped, signal.SIGSTOP)
            for _ in range(2):
                async with working(directory, url):
                    await master.until(lambda: master.is_connected)
                    # Another host is there meanwhile.
                    assert (await master.finish(await master.execute(commands("true"), job="other"))).end is not None
            async with working(directory, url):
                await master.until(lambda: master.is_connected)
                await master.abort(stored)
                await look(directory_of(directory, stored).abort.exists)
                assert stored.end is None
                os.kill(stopped, signal.SIGCONT)
                await master.finish(stored)
                assert stored.outcome == ("aborted", "abort_requested")
                # It has nothing more to do, and leaves nothing.
                await look(lambda: len(list((directory / "hosts").iterdir())) == 1)
                assert host_pids(directory) != [stopped]

    run(test)


def test_a_host_that_takes_no_more_connections_keeps_no_worker_waiting(tmp_path: Path) -> None:
    host = HostDirectory(tmp_path)
    with host.listen(), ExitStack() as connections, pytest.raises(BlockingIOError):
        while True:
            connections.enter_context(host.connect())


def test_what_a_host_said_last_is_kept_by_its_worker(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            stored = await begin(master)
            (output,) = outputs_of_hosts(directory)
            with output.open("a") as file:
                file.write("x" * 10_000 + " these words\n")
            for pid in host_pids(directory):
                os.kill(pid, signal.SIGKILL)
            await master.finish(stored)
            await look(lambda: not output.exists())

    run(test)
    (said,) = [record.getMessage() for record in caplog.records if "these words" in record.getMessage()]
    assert len(said) < 5_000


def test_hindrances_come_and_go_each_by_itself() -> None:
    told: list[str] = []
    hindrances = Hindrances(told.append)
    disk, host = hindrances.of("disk"), hindrances.of("host")
    for tell, sentence in ((disk, "has a full disk"), (host, "has no host"), (disk, ""), (disk, ""), (host, "")):
        tell(sentence)
    assert told == ["has a full disk", "has a full disk, and has no host", "has no host", ""]


def test_what_a_host_cannot_read_costs_no_connection(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            stored = await begin(master)
            (connection,) = connections_to_hosts()
            connection.sendall(b"nonsense\n[]\n")
            connection.close()
            (output,) = outputs_of_hosts(directory)
            await look(lambda: output.read_text().count("A message was left alone") == 2)
            assert (await master.finish(await master.execute(commands("true")))).outcome[0] == "succeeded"
            let_go(directory, stored)
            await master.finish(stored)

    run(test)


def test_a_stubborn_run_of_a_dead_host_keeps_no_other_from_starting(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            limits = limits_to_data(RunLimits(grace=60.0))
            line = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
            stored = await master.execute(commands(line), limits=limits)
            await master.until(lambda: b"\nready\n" in stored.log)
            for pid in host_pids(directory):
                os.kill(pid, signal.SIGKILL)
            following = await master.finish(await master.execute(commands("true")))
            assert following.outcome == ("succeeded", "completed")
            assert stored.end is None
            for pid in processes_of(stored):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert (await master.finish(stored)).outcome == ("exception", "executor_host_lost")

    run(test)


def test_another_start_of_the_unit_needs_no_other_host(directory: Path) -> None:
    """systemd names each start of a unit, and more, in the environment."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url, environment={**os.environ, "INVOCATION_ID": "1", "MAINPID": "1"}):
                stored = await begin(master, "echo ready; until [ -e go ]; do sleep 0.01; done; env")
                pids = host_pids(directory)
            async with working(directory, url, environment={**os.environ, "INVOCATION_ID": "2", "LISTEN_FDS": "1"}):
                await master.until(lambda: len(master.hellos) == 2)
                let_go(directory, stored)
                await master.finish(stored)
                assert (await master.finish(await master.execute(commands("true")))).outcome[0] == "succeeded"
                assert host_pids(directory) == pids
            assert b"INVOCATION_ID" not in stored.log

    run(test)


def test_a_worker_whose_name_was_lost_with_the_power_gets_another(directory: Path) -> None:
    directory.mkdir()
    (directory / "instance").touch()

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
        assert len(master.hellos[0].instance) == 32
        assert (directory / "instance").read_text() == master.hellos[0].instance

    run(test)


def test_a_request_that_cannot_be_written_is_refused_alone(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            wrong = await master.execute(commands("true"), parameters={"bytes": b"no JSON"})
            await master.until(lambda: wrong.refusal)
            assert "not JSON serializable" in (wrong.refusal or "")
            assert (await master.finish(await master.execute(commands("true")))).outcome[0] == "succeeded"

    run(test)
