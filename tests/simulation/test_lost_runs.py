"""Runs that are given up while their worker, or another master, is just about to say something else."""

from __future__ import annotations

import asyncio

import pytest

from job_orchestra.domain.jobs import LossPolicy, OnLost
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.master.holds import LEASE
from job_orchestra.protocol.messages import Execute, Goodbye, Release, RunOnDisk, Welcome
from tests.connecting import connect_worker
from tests.simulation.master import MASTER
from tests.simulation.stage import Stage

_LEASE = LEASE.total_seconds()


def test_an_end_that_comes_behind_another_masters_is_told_late_and_not_released_before() -> None:
    stage = Stage(masters=("first", "second"))
    cut_off = stage.roads["first"]

    async def scenario() -> None:
        async with stage.peer("first") as worker:
            await worker.greet()
            run = await stage.trigger(LossPolicy(OnLost.FAIL, after=5.0))
            await worker.begin(run, b"abc")
            await asyncio.sleep(_LEASE)
            cut_off.closed |= {"write runs", "write workers", "find workers"}
            await worker.end(run, b"abc")
            await asyncio.sleep(2 * _LEASE)
            given_up = await stage.stored(run)
            # Both ends have the same number.
            assert (given_up.status, given_up.journal_sequence) == (RunStatus.EXCEPTION, 2)
            cut_off.closed.remove("write runs")
            assert "changed elsewhere" in (await worker.hear(Goodbye)).message
        cut_off.closed.clear()
        async with stage.peer("second") as worker:
            await worker.greet(RunOnDisk(run.identifier, 1, 2, 3))
            assert (await worker.hear(Welcome)).resume[0].sequence == 0
            await worker.say(worker.started(run), worker.log(run, 0, b"abc"))
            await worker.end(run, b"abc")
            await worker.hear(Release)
        assert await stage.stored(run) == given_up
        report = await stage.late_reports.find(given_up, 1)
        assert report is not None
        assert report.account.status is RunStatus.SUCCEEDED

    stage.play(scenario)


def test_a_loss_whose_answer_is_lost_is_retried_at_once_all_the_same() -> None:
    stage = Stage()

    async def scenario() -> None:
        async with stage.peer() as worker:
            await worker.greet()
            run = await stage.trigger(LossPolicy(OnLost.RETRY, after=5.0))
            await worker.begin(run, b"abc")
            await asyncio.sleep(70.0)  # it is none of those that the safety poll looks at
        stage.road.one_way.add("write runs")
        while (await stage.stored(run)).attempt == 1:
            await asyncio.sleep(0.1)
        async with stage.peer() as worker:
            await worker.greet(RunOnDisk(run.identifier, 1, 1, 3))
            stage.road.one_way.clear()
            async with asyncio.timeout(5.0):
                assert (await worker.hear(Execute)).attempt == 2

    stage.play(scenario)


@pytest.mark.parametrize("on_lost", [OnLost.FAIL, OnLost.RETRY])
def test_who_is_back_before_its_run_is_given_up_goes_on(on_lost: OnLost) -> None:
    stage = Stage()

    async def scenario() -> None:
        async with stage.peer() as worker:
            await worker.greet()
            run = await stage.trigger(LossPolicy(on_lost, after=5.0))
            await worker.begin(run, b"abc")
        # Of the loss, which is found after about ten seconds.
        stage.road.seconds["hash of a log"] = 60.0
        stage.road.seconds["write runs"] = 10.0
        await asyncio.sleep(12.0)
        async with stage.peer() as worker:
            await worker.greet(RunOnDisk(run.identifier, 1, 1, 3))
            assert (await worker.hear(Welcome)).resume[0].sequence == 1
            await asyncio.sleep(90.0)
            assert (await stage.stored(run)).status is RunStatus.RUNNING
            await worker.end(run, b"abc")
            await worker.hear(Release)

    stage.play(scenario)


def test_who_is_back_while_the_runs_of_others_are_given_up_goes_on() -> None:
    stage = Stage()

    async def scenario() -> None:
        await connect_worker(stage.workers, "gone", "workers", "i", WorkerDescription("1"), 0.0, MASTER)
        async with stage.peer() as worker:
            await worker.greet()
            run = await stage.trigger(LossPolicy(OnLost.FAIL, after=5.0))
            await worker.begin(run, b"abc")
            assert await stage.queue.assign(await stage.trigger(LossPolicy(OnLost.FAIL, after=5.0)), "gone")
        await stage.workers.disconnect(await stage.workers.get("gone"))
        stage.road.seconds["hash of a log"] = 60.0
        await asyncio.sleep(12.0)
        async with stage.peer() as worker:
            await worker.greet(RunOnDisk(run.identifier, 1, 1, 3))
            await asyncio.sleep(200.0)
            assert (await stage.stored(run)).status is RunStatus.RUNNING

    stage.play(scenario)
