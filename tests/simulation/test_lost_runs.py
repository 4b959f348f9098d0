"""Runs that are given up while their worker, or another master, is just about to say something else."""

from __future__ import annotations

import asyncio

import pytest

from job_orchestra.domain.jobs import LossPolicy, OnLost
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.master.holds import LEASE
from job_orchestra.protocol.messages import Goodbye, Release, RunOnDisk, Welcome
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


@pytest.mark.parametrize("on_lost", [OnLost.FAIL, OnLost.RETRY])
def test_a_loss_whose_answer_is_lost_ends_the_connection_that_came_meanwhile(on_lost: OnLost) -> None:
    stage = Stage()

    async def scenario() -> None:
        async with stage.peer() as worker:
            await worker.greet()
            run = await stage.trigger(LossPolicy(on_lost, after=5.0))
            await worker.begin(run, b"abc")
        stage.road.seconds["write runs"] = 10.0
        stage.road.one_way.add("write runs")
        await asyncio.sleep(12.0)
        async with stage.peer() as worker:
            await worker.greet(RunOnDisk(run.identifier, 1, 1, 3))
            assert (await worker.hear(Welcome)).resume[0].sequence == 1
            while (stored := await stage.stored(run)).status is RunStatus.RUNNING:
                await asyncio.sleep(0.1)
            stage.road.one_way.clear()
            assert (await worker.hear(Goodbye)).code == "lost"
        if on_lost is OnLost.FAIL:
            assert stored.reason is not None
            assert stored.reason.code is ReasonCode.WORKER_LOST
        else:
            assert (stored.status, stored.attempt) == (RunStatus.PENDING, 2)

    stage.play(scenario)
