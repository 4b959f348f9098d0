"""Runs that wait, are taken by somebody else, and wait again, each meeting by itself."""

from __future__ import annotations

import asyncio

from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.master.run_group import GROUP_WINDOW
from job_orchestra.protocol.messages import Execute, Welcome
from tests.connecting import connect_worker
from tests.simulation.stage import Stage


def test_a_run_that_another_master_took_and_put_back_can_be_cancelled() -> None:
    """It is behind the window of its group, which this master has forgotten meanwhile."""
    stage = Stage()

    async def scenario() -> None:
        runs = sorted([await stage.trigger() for _ in range(GROUP_WINDOW + 1)], key=lambda run: run.identifier)
        await asyncio.sleep(1.5)  # the master takes them in
        await connect_worker(stage.workers, "x", "workers", "i", WorkerDescription("1"), 0.0, "another")
        *_, last = [await stage.queue.assign(run, "x") for run in runs]
        assert last is not None
        async with stage.peer() as worker:
            await worker.greet()
            await worker.hear(Welcome)
            await asyncio.sleep(5.0)  # it finds that they are all taken
            assert await stage.queue.unassign(last) is not None
            await stage.runs.request_cancel("p", last.identifier, "eve")
            await asyncio.sleep(5.0)
            assert (await stage.stored(last)).status is RunStatus.CANCELLED

    stage.play(scenario)


def test_a_run_that_is_assigned_while_its_worker_is_being_greeted_again_reaches_it() -> None:
    stage = Stage()

    async def scenario() -> None:
        async with stage.peer() as worker:
            await worker.greet()
            await worker.hear(Welcome)
            stage.road.closed.add("write runs")
            run = await stage.trigger()
            while not stage.road.turned_back:
                await asyncio.sleep(0.01)  # it is planned for the worker, which cannot be committed
        stage.road.seconds["sizes of logs"] = 5.0
        async with stage.peer() as worker:
            await worker.greet()
            await asyncio.sleep(0.3)  # the greeting has read what is assigned
            stage.road.closed.clear()
            while (await stage.stored(run)).worker is None:
                await asyncio.sleep(0.1)
            await worker.hear(Welcome)
            assert (await worker.hear(Execute)).run == run.identifier

    stage.play(scenario)


def test_a_run_that_another_master_puts_back_is_found_although_it_is_old() -> None:
    """The worker that takes it is this master's, and nobody tells this master."""
    stage = Stage()

    async def scenario() -> None:
        run = await stage.trigger()
        await connect_worker(stage.workers, "x", "workers", "i", WorkerDescription("1"), 0.0, "another")
        assigned = await stage.queue.assign(run, "x")
        assert assigned is not None
        await asyncio.sleep(200.0)  # it was triggered long ago
        async with stage.peer() as worker:
            await worker.greet()
            await worker.hear(Welcome)
            await asyncio.sleep(5.0)
            assert await stage.queue.unassign(assigned) is not None
            async with asyncio.timeout(3.0):
                told = await worker.hear(Execute)
            assert (told.run, told.attempt) == (run.identifier, 2)

    stage.play(scenario)
