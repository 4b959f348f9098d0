"""What becomes of runs when their worker is told to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from job_orchestra.domain.stopping import OnStop
from job_orchestra.execution.process_identity import own_identity
from job_orchestra.execution.worker_lock import read_worker_identity
from job_orchestra.protocol.run_key import RunKey
from tests.executor.hosting import commands
from tests.worker.standing_in import RunningWorker, StandInMaster, Stored, host_pids, run, working

_WAITING = "echo ready; until [ -e go ]; do sleep 0.01; done; echo done"


async def begin(master: StandInMaster, line: str = _WAITING, **phases: list[str]) -> Stored:
    await master.until(lambda: master.is_connected)
    stored = await master.execute(commands(line, **phases))
    await master.until_log(stored, "\nready\n")
    return stored


def let_go(directory: Path, stored: Stored) -> None:
    (directory / "workspaces/job/example" / stored.execute.job / "go").touch()


def runs_in(directory: Path) -> list[Path]:
    return list((directory / "runs").iterdir())


async def until_gone(directory: Path) -> None:
    async with asyncio.timeout(20):
        while host_pids(directory):
            await asyncio.sleep(0.01)


def test_draining_waits_for_the_runs_and_takes_no_new_ones(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            worker = RunningWorker(directory, url, on_stop=OnStop.DRAIN)
            stored = await begin(master)
            worker.stop.set()
            late = await master.execute(commands("echo late"))
            assert "takes no new runs" in str(await master.until(lambda: late.refusal))
            assert master.hindrances == ["is about to stop"]
            await master.cut()
            await master.until(lambda: len(master.hindrances) == 2)  # it says so again
            assert not worker.task.done()
            let_go(directory, stored)
            await worker.task
            assert stored.is_released
            assert stored.outcome == ("succeeded", "completed")
        assert runs_in(directory) == []
        await until_gone(directory)

    run(test)


def test_aborting_ends_the_runs_in_order(directory: Path) -> None:
    """With their teardown, and with everything delivered, before the worker leaves."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            worker = RunningWorker(directory, url, on_stop=OnStop.ABORT)
            runs = [await begin(master, teardown=["echo over"]) for _ in range(3)]
            await worker.end()
            for stored in runs:
                assert stored.is_released
                assert stored.outcome == ("aborted", "shutdown")
                assert b"\nover\n" in stored.log
        assert runs_in(directory) == []
        await until_gone(directory)

    run(test)


def test_draining_may_turn_into_aborting(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            worker = RunningWorker(directory, url, on_stop=OnStop.DRAIN)
            stored = await begin(master)
            worker.stop.set()
            worker.application.change_on_stop(OnStop.ABORT)
            await worker.task
            assert stored.outcome == ("aborted", "shutdown")

    run(test)


def test_draining_goes_on_without_a_master(directory: Path) -> None:
    """What cannot be delivered is left to the next worker of the directory."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            worker = RunningWorker(directory, url, on_stop=OnStop.DRAIN, patience=0.5)
            stored = await begin(master)
        worker.stop.set()
        let_go(directory, stored)
        await worker.task
        assert len(runs_in(directory)) == 1
        async with master.serving(), working(directory, url):
            await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")

    run(test)


def test_a_worker_that_was_told_to_abort_and_killed_goes_on_with_that(directory: Path) -> None:
    """The wish is with the runs: whoever comes next finds it there."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            worker = RunningWorker(directory, url, on_stop=OnStop.ABORT)
            stored = await begin(master, "trap '' TERM; echo ready; while true; do sleep 0.05; done")
            key = RunKey(stored.execute.run, 1)
            worker.stop.set()
            async with asyncio.timeout(20):
                while not (directory / "runs" / f"{key.run}.1" / "abort").exists():
                    await asyncio.sleep(0.001)
            worker.task.cancel()
            await asyncio.gather(worker.task, return_exceptions=True)
            async with working(directory, url):
                await master.finish(stored)
                assert stored.outcome == ("aborted", "shutdown")

    run(test)


def test_the_directory_tells_which_worker_has_it(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        assert read_worker_identity(directory) is None
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            assert read_worker_identity(directory) == own_identity()

    run(test)
