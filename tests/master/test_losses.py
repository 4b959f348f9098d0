"""Runs whose worker stays away, and what it still has to say when it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from job_orchestra.domain.jobs import LossPolicy, OnLost
from job_orchestra.domain.late_reports import LateReport
from job_orchestra.domain.losses import MOST_LOSSES
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import REFUSAL_PAUSE
from job_orchestra.master.intake import log_key
from job_orchestra.protocol.control import RunChanged, WorkerChanged, WorkerWish
from job_orchestra.protocol.messages import Abort, Accepted, Acknowledged, Execute, Refused, Release, Resume, RunOnDisk
from tests.master.peers import Scenario, ServicePeer, Surroundings, WorkerPeer, ended, events, log, started

AWAY_FOR_LONG = timedelta(seconds=100)


def policy(on_lost: OnLost) -> LossPolicy:
    return LossPolicy(on_lost, after=60)


async def begin(worker: WorkerPeer, *runs: Run) -> None:
    for _ in runs:
        await worker.hear(Execute)
    for run in runs:
        await worker.say(Accepted(run.identifier, run.attempt), log(run, 0, b"abc"), events(run, started()))
        await worker.hear(Acknowledged)


async def stay_away(parts: Surroundings, service: ServicePeer) -> None:
    """For longer than any policy allows, and a master that looks at once."""
    while (await parts.workers.get("w")).is_connected:
        await service.hear(WorkerChanged)
    parts.clock.shift += AWAY_FOR_LONG
    await service.hint(WorkerWish("w"))


async def the_report(parts: Surroundings, run: Run) -> LateReport:
    (report,) = await parts.late_reports.of(await parts.stored(run))
    return report


@pytest.mark.parametrize("on_lost", [OnLost.FAIL, OnLost.WAIT])
def test_a_run_is_given_up_only_if_its_job_says_so(play: Callable[[Scenario], None], on_lost: OnLost) -> None:
    async def scenario(parts: Surroundings) -> None:
        run, other = await parts.trigger(loss=policy(on_lost)), await parts.trigger(loss=policy(OnLost.FAIL))
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await begin(worker, run, other)
            await stay_away(parts, service)
            while not ((hint := await service.hear(RunChanged)).is_ended and hint.run == other.identifier):
                pass
        stored = await parts.stored(run)
        if on_lost is OnLost.WAIT:
            assert stored.status is RunStatus.RUNNING
        else:
            assert (stored.status, stored.attempt) == (RunStatus.EXCEPTION, 1)
            assert stored.reason is not None
            assert stored.reason.code is ReasonCode.WORKER_LOST
            assert "Worker w has been away since" in stored.reason.sentence
            assert (stored.log.size, stored.log.sha256, stored.duration) == (3, None, None)

    play(scenario)


def test_refusals_use_up_no_retries(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(loss=policy(OnLost.RETRY))
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                for attempt in range(1, MOST_LOSSES + 1):
                    await worker.hear(Execute)
                    await worker.say(Refused(run.identifier, attempt, "No room."))
                    while (await parts.stored(run)).attempt == attempt:
                        await asyncio.sleep(0)
                    parts.clock.shift += REFUSAL_PAUSE
                    await service.hint(WorkerWish("w"))
                await begin(worker, await parts.stored(run))
            await stay_away(parts, service)
            while (await parts.stored(run)).attempt == MOST_LOSSES + 1:
                await service.hear(RunChanged)
        assert (await parts.stored(run)).status is RunStatus.PENDING

    play(scenario)


def test_a_retried_run_is_a_new_attempt_and_the_old_one_reports_late(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(loss=policy(OnLost.RETRY))
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await begin(worker, run)
            await stay_away(parts, service)
            while (await service.hear(RunChanged)).is_ended or (await parts.stored(run)).attempt == 1:
                pass
            waiting = await parts.stored(run)
            assert (waiting.status, waiting.attempt, waiting.worker) == (RunStatus.PENDING, 2, None)
            async with parts.worker(RunOnDisk(run.identifier, 1, 1, 3)) as (worker, welcome):
                # The old attempt tells everything from its beginning, and is asked to end.
                assert welcome.resume == (Resume(run.identifier, 1, 0, 0),)
                assert (await worker.hear(Abort)).attempt == 1
                assert (await worker.hear(Execute)).attempt == 2
                await worker.say(log(waiting, 0, b"new"), events(waiting, started()))
                assert (await worker.hear(Acknowledged)).attempt == 2
                await worker.say(log(run, 0, b"abcdef"), events(run, started(), ended(2, b"abcdef", RunStatus.ABORTED)))
                assert await worker.hear(Release) == Release(run.identifier, 1)
                assert (await parts.stored(run)).status is RunStatus.RUNNING
                await worker.say(events(waiting, ended(2, b"new")))
                assert await worker.hear(Release) == Release(run.identifier, 2)
        stored = await parts.stored(run)
        assert (stored.status, stored.attempt, stored.log.size) == (RunStatus.SUCCEEDED, 2, 3)
        report = await the_report(parts, run)
        assert (report.account.attempt, report.account.status) == (1, RunStatus.ABORTED)
        assert report.received_at is not None
        assert await parts.log_store.read(log_key(report.account, is_late=True), 0, 99) == b"abcdef"
        assert await parts.log_store.read(log_key(report.account), 0, 99) == b"abc"
        assert len(await parts.late_reports.events(run.identifier, 1)) == 2

    play(scenario)


def test_what_a_failed_run_still_sends_never_touches_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(loss=policy(OnLost.FAIL))
        on_disk = RunOnDisk(run.identifier, 1, 2, 6)
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await begin(worker, run)
            await stay_away(parts, service)
            while not (await service.hear(RunChanged)).is_ended:
                pass
            given_up = await parts.stored(run)
            async with parts.worker(on_disk) as (worker, _):
                await worker.say(log(run, 0, b"abcdef"), events(run, started()))
                await worker.hear(Acknowledged)
            async with parts.worker(on_disk) as (worker, welcome):
                assert welcome.resume == (Resume(run.identifier, 1, 1, 6),)
                await worker.say(events(run, ended(2, b"abcdef")))
                await worker.hear(Release)
            async with parts.worker(on_disk) as (_, welcome):
                assert welcome.release == (on_disk,)
        assert await parts.stored(run) == given_up
        assert (await the_report(parts, run)).account.status is RunStatus.SUCCEEDED

    play(scenario)


def test_a_worker_that_comes_back_in_time_goes_on(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run, other = (
            await parts.trigger(loss=LossPolicy(OnLost.FAIL, 1000)),
            await parts.trigger(loss=policy(OnLost.FAIL)),
        )
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await begin(worker, run, other)
            await stay_away(parts, service)
            while not (await service.hear(RunChanged)).is_ended:
                pass
            async with parts.worker(RunOnDisk(run.identifier, 1, 1, 3)) as (worker, welcome):
                assert welcome.resume == (Resume(run.identifier, 1, 1, 3),)
                await worker.say(events(run, ended(2, b"abc")))
                await worker.hear(Release)
        assert (await parts.stored(run)).status is RunStatus.SUCCEEDED

    play(scenario)


def test_an_abort_does_not_wait_for_a_worker_that_stays_away(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(loss=policy(OnLost.WAIT))
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await begin(worker, run)
            await parts.runs.request_abort("p", run.identifier, "eve")
            await stay_away(parts, service)
            while not (await service.hear(RunChanged)).is_ended:
                pass
            # Its processes are ended all the same when it is back.
            async with parts.worker(RunOnDisk(run.identifier, 1, 1, 3)) as (worker, _):
                assert (await worker.hear(Abort)).run == run.identifier
        stored = await parts.stored(run)
        assert stored.reason is not None
        assert stored.reason.sentence.endswith("and eve asked to stop the run.")

    play(scenario)


@pytest.mark.parametrize(("on_lost", "is_ended"), [(OnLost.WAIT, True), (OnLost.RETRY, False)])
def test_the_runs_of_a_deleted_worker_are_given_up_and_reported_late(
    play: Callable[[Scenario], None], on_lost: OnLost, is_ended: bool
) -> None:
    async def scenario(parts: Surroundings) -> None:
        # Long before it would count as lost by itself.
        run = await parts.trigger(loss=LossPolicy(on_lost, 100_000))
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await begin(worker, run)
                await parts.workers.set_enabled("w", False)
            while (await parts.workers.get("w")).is_connected:
                await service.hear(WorkerChanged)
            await parts.workers.delete("w", lose_runs=True)
            await service.hint(WorkerWish("w"))
            while (await parts.stored(run)).worker is not None and not (await service.hear(RunChanged)).is_ended:
                pass
            given_up = await parts.stored(run)
            if is_ended:
                assert (given_up.status, given_up.attempt) == (RunStatus.EXCEPTION, 1)
                assert given_up.reason is not None
                assert given_up.reason.code is ReasonCode.WORKER_LOST
                assert given_up.reason.sentence == "Worker w was deleted before it reported the end."
                assert given_up.log.sha256 is None
            else:
                assert (given_up.status, given_up.attempt) == (RunStatus.PENDING, 2)
            async with parts.worker(RunOnDisk(run.identifier, 1, 1, 3)) as (worker, welcome):
                # It is a worker like a new one, and tells of the old attempt from its beginning.
                assert welcome.resume == (Resume(run.identifier, 1, 0, 0),)
                assert (await worker.hear(Abort)).attempt == 1
                await worker.say(log(run, 0, b"abcd"), events(run, started(), ended(2, b"abcd", RunStatus.ABORTED)))
                assert await worker.hear(Release) == Release(run.identifier, 1)
        report = await the_report(parts, run)
        assert (report.account.status, report.account.worker) == (RunStatus.ABORTED, "w")
        assert await parts.log_store.read(log_key(report.account, is_late=True), 0, 99) == b"abcd"
        stored = await parts.stored(run)
        assert (stored.status, stored.attempt) == (given_up.status, given_up.attempt)

    play(scenario)


def test_nobody_reports_late_of_what_was_never_theirs(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(loss=policy(OnLost.RETRY))
        stranger = RunOnDisk(run.identifier, 7, 1, 3)
        async with parts.serving(), parts.worker(stranger) as (_, welcome):
            assert (welcome.resume, welcome.release) == ((), (stranger,))
        assert await parts.late_reports.of(await parts.stored(run)) == []

    play(scenario)
