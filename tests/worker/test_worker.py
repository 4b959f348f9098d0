"""The worker with a master that answers: runs are executed, synchronised and deleted."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from pathlib import Path

import pytest

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.job_data import limits_to_data
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.protocol.messages import Goodbye
from tests.executor.hosting import commands
from tests.worker.standing_in import RunningWorker, StandInMaster, host_pids, run, working


def test_a_run_from_execute_to_release(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url) as worker:
            await master.until(lambda: master.is_connected)
            stored = await master.finish(await master.execute(commands("echo hello")))
            assert stored.is_accepted
            assert stored.outcome == ("succeeded", "completed")
            assert [event.kind for event in stored.events] == ["started", "command_started", "command_ended", "ended"]
            assert b"\nhello\n" in stored.log
            assert len(worker.ready) == 1
            await worker.end()
        assert list((directory / "runs").iterdir()) == []
        assert master.goodbyes != []

    run(test)


def test_a_worker_describes_itself(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        options = {"properties": {"colour": "red", "cpus": 99}, "display_name": "The worker", "executor_limit": 7}
        async with master.serving() as url, working(directory, url, **options):
            await master.until(lambda: master.hellos)
        hello = master.hellos[0]
        assert (hello.identifier, hello.display_name, hello.executor_limit) == ("worker-1", "The worker", 7)
        assert hello.instance == (directory / "instance").read_text()
        assert hello.boot == boot_identifier()
        assert hello.properties["operating_system"] == "linux"
        assert hello.properties["architecture"] == platform.machine()
        assert hello.properties["python"] == platform.python_version()
        assert hello.properties["colour"] == "red"
        assert hello.properties["cpus"] == 99
        memory = hello.properties["memory"]
        assert isinstance(memory, int)
        assert memory > 1 << 26

    run(test)


def test_many_runs_at_once_with_logs(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            line = "head -c 300000 /dev/urandom; seq 1000"
            runs = [await master.execute(commands(line)) for _ in range(20)]
            for stored in runs:
                await master.finish(stored)
                assert stored.outcome == ("succeeded", "completed")
                assert stored.times_sent_again == 0
                assert len(stored.log) > 300_000

    run(test)


def test_a_log_comes_while_the_run_goes_on(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            stored = await master.execute(
                commands("for n in 1 2 3; do echo line $n; until [ -e $n ]; do sleep 0.01; done; done")
            )
            place = directory / "workspaces/job/example" / stored.execute.job
            for number in (1, 2, 3):
                await master.until_log(stored, f"\nline {number}\n")
                (place / str(number)).touch()
            await master.finish(stored)

    run(test)


def test_abort(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            stored = await master.execute(commands("echo ready; sleep 1000"))
            await master.until(lambda: b"\nready\n" in stored.log)
            await master.abort(stored, by="ann")
            await master.finish(stored)
            assert stored.outcome == ("aborted", "abort_requested")
            early = await master.execute(commands("sleep 1000"))
            await master.abort(early)
            await master.finish(early)
            assert early.outcome[0] in {"aborted", "cancelled"}

    run(test)


@pytest.mark.parametrize(
    "fields",
    [
        {"workspace": "elsewhere"},
        {"run": "../x"},
        {"project": "a/b"},
        {"job": ""},
        {"attempt": 0},
        {"limits": {"x": 1}},
    ],
)
def test_what_cannot_be_taken_is_refused(directory: Path, fields: dict[str, object]) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            stored = await master.execute(commands("true"), **fields)
            assert next(iter(fields)) in str(await master.until(lambda: stored.refusal))
            other = await master.finish(await master.execute(commands("true")))
            assert other.outcome == ("succeeded", "completed")

    run(test)


def test_a_log_that_was_truncated_is_sent_again_as_it_is(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            line = "echo a long line; until [ -e go ]; do sleep 0.01; done; echo short > /dev/stderr; echo more"
            stored = await master.execute(commands(line))
            await master.until(lambda: b"\na long line\n" in stored.log)
            (directory / "workspaces/job/example" / stored.execute.job / "go").touch()
            await master.finish(stored)
            assert stored.times_sent_again == 1
            assert stored.log.startswith(b"short\n")

    run(test)


def test_what_is_above_the_limit_of_a_log_is_told_when_it_is_cut(directory: Path) -> None:
    """The master stores nothing that it would have to take back."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            limits = limits_to_data(RunLimits(grace=0.5, log_size=10_000))
            line = "trap '' TERM; echo ready; head -c 3000000 /dev/zero; sleep 0.3; head -c 3000000 /dev/zero; sleep 9"
            stored = await master.execute(commands(line, teardown=["echo over"]), limits=limits)
            await master.finish(stored)
            assert stored.outcome == ("aborted", "log_limit")
            assert stored.times_sent_again == 0
            assert b"The log is cut here" in stored.log
            assert stored.log.endswith(b"\n")
            assert len(stored.log) < 200_000

    run(test)


def test_executors_of_the_users_own(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        options = {
            "executors": {"words": "tests.worker.words:Words"},
            "environment": {**os.environ, "PYTHONPATH": str(Path.cwd())},
        }
        async with master.serving() as url, working(directory, url, **options):
            await master.until(lambda: master.is_connected)
            stored = await master.finish(await master.execute({"type": "words", "data": {"say": "hi"}}))
            assert stored.outcome == ("succeeded", "completed")
            assert b"\nhi\n" in stored.log
            other = await master.finish(await master.execute({"type": "rockets", "data": {}}))
            assert other.outcome == ("exception", "definition_unknown")

    run(test)


# ---------- the connection


def test_a_cut_connection_is_resumed(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            line = "for n in $(seq 200); do head -c 20000 /dev/urandom; sleep 0.005; done"
            stored = await master.execute(commands(line))
            for _ in range(4):
                await master.until_longer(stored)
                await master.cut()
                await master.until(lambda: master.is_connected)
            await master.finish(stored)
            assert stored.times_sent_again == 0
            assert stored.outcome == ("succeeded", "completed")

    run(test)


def test_runs_go_on_without_the_master(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with working(directory, "ws://127.0.0.1:1") as worker:
            await asyncio.sleep(0)
            await worker.end()
        async with master.serving() as url:
            worker = RunningWorker(directory, url)
            await master.until(lambda: master.is_connected)
            stored = await master.execute(commands("echo one; until [ -e go ]; do sleep 0.01; done; echo two"))
            await master.until(lambda: b"\none\n" in stored.log)
        await master.until(lambda: not master.is_connected)
        (directory / "workspaces/job/example" / stored.execute.job / "go").touch()
        journal = directory / "runs" / f"{stored.execute.run}.1" / "journal"
        async with asyncio.timeout(20):
            while b'"kind":"ended"' not in journal.read_bytes():
                await asyncio.sleep(0.01)
        async with master.serving():
            await master.finish(stored)
            await worker.end()
        assert b"\ntwo\n" in stored.log

    run(test)


def test_nothing_is_deleted_before_the_master_has_it(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        master.is_acknowledging = False
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            stored = await master.execute(commands("echo kept"))
            await master.until(lambda: stored.end)
            assert (directory / "runs" / f"{stored.execute.run}.1" / "log").read_bytes() == stored.log
            master.is_acknowledging = True
            stored.events.clear()
            stored.log.clear()
            await master.cut()
            await master.finish(stored)

    run(test)


def test_a_wrong_token_is_said_once(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url, token="wrong"):
            async with asyncio.timeout(20):
                while "There is no such token." not in caplog.text:
                    await asyncio.sleep(0.01)
        assert caplog.text.count("There is no such token.") == 1
        assert "wrong" not in caplog.text

    run(test)


def test_a_refusal_is_said(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        master = StandInMaster()
        master.refusal = Goodbye("refused", "Worker worker-1 is connected from elsewhere.", is_final=True)
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.hellos)
            async with asyncio.timeout(20):
                while "is connected from elsewhere" not in caplog.text:
                    await asyncio.sleep(0.01)

    run(test)


def test_a_directory_is_for_one_worker(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            with pytest.raises(Conflict, match="in use by another worker"):
                await RunningWorker(directory, url).task

    run(test)


def test_stopping_leaves_no_tasks_and_keeps_the_host(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            await master.finish(await master.execute(commands("true")))
        assert len(host_pids(directory)) == 1
        left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        assert left == set()

    run(test)
