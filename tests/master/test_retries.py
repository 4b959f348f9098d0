"""An attempt ends, and the next one follows: at once, after a delay, or not if somebody wants the run stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.control import RunChanged
from job_orchestra.protocol.messages import Accepted, Acknowledged, Execute, Release, RunOnDisk
from job_orchestra.protocol.run_key import RunKey
from tests.master.peers import Scenario, Surroundings, WorkerPeer, ended, events, log, started


async def begin(worker: WorkerPeer) -> Execute:
    """What it is told to execute, and executes."""
    told = await worker.hear(Execute)
    await worker.say(Accepted(told.run, told.attempt))
    return told


async def fail(worker: WorkerPeer, run: Run) -> None:
    await worker.say(log(run, 0, b"abc"), events(run, started(), ended(2, b"abc", RunStatus.FAILED)))


def test_the_worker_may_forget_an_attempt_that_is_retried_and_gets_the_next(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(retry=RetryPolicy(1))
        async with parts.serving(), parts.worker() as (worker, _):
            await begin(worker)
            await fail(worker, run)
            released = await worker.hear(Release)
            assert (released.run, released.attempt) == (run.identifier, 1)
            told = await begin(worker)
            assert (told.run, told.attempt) == (run.identifier, 2)
            second = await parts.stored(run)
            assert (second.status, second.attempt, second.results) == (RunStatus.PENDING, 2, {})
            assert [past.status for past in second.past_attempts] == [RunStatus.FAILED]
            await fail(worker, second)
            assert (await worker.hear(Release)).attempt == 2
        done = await parts.stored(run)
        assert (done.status, done.attempt, len(done.past_attempts)) == (RunStatus.FAILED, 2, 1)
        assert [event.record.kind for event in await parts.runs.events(run.identifier, 1)] == ["started", "ended"]

    play(scenario)


def test_what_was_stored_before_the_connection_broke_is_released_by_the_next(
    play: Callable[[Scenario], None],
) -> None:
    """The worker has not heard that its attempt is over; meanwhile the next one may be anywhere."""

    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(retry=RetryPolicy(1, delay=1000.0))
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await begin(worker)
                await fail(worker, run)
                while (await parts.stored(run)).attempt == 1:
                    await service.hear(RunChanged)
            async with parts.worker(RunOnDisk(run.identifier, 1, 2, 3)) as (_, welcome):
                assert [RunKey(one.run, one.attempt) for one in welcome.release] == [RunKey(run.identifier, 1)]
                assert not welcome.resume

    play(scenario)


def test_a_run_waits_until_its_delay_is_over_and_frees_its_slot_meanwhile(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(retry=RetryPolicy(1, delay=50.0), concurrency="one")
        other = await parts.trigger(concurrency="one")
        async with parts.serving(), parts.worker() as (worker, _):
            assert (await begin(worker)).run == run.identifier
            await fail(worker, run)
            assert (await begin(worker)).run == other.identifier
            waiting = await parts.stored(run)
            assert waiting.waits_until is not None
            assert timedelta(seconds=45) < waiting.waits_until - parts.clock.now() <= timedelta(seconds=50)
            await worker.say(events(other, started(), ended(2, b"")))
            parts.clock.shift += timedelta(seconds=60)
            again = await begin(worker)
            assert (again.run, again.attempt) == (run.identifier, 2)

    play(scenario)


def test_a_delay_outlives_the_master(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(retry=RetryPolicy(1, delay=50.0))
        async with parts.serving(), parts.worker() as (worker, _):
            await begin(worker)
            await fail(worker, run)
            await worker.hear(Release)
        parts.clock.shift += timedelta(seconds=60)
        async with parts.serving(), parts.worker() as (worker, _):
            assert (await begin(worker)).attempt == 2

    play(scenario)


def test_a_run_that_somebody_wants_stopped_ends_with_its_attempt(play: Callable[[Scenario], None]) -> None:
    """Also if the wish came a moment before the worker told the end, and the master has not read it."""

    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger(retry=RetryPolicy(3))
        async with parts.serving(), parts.worker() as (worker, _):
            await begin(worker)
            await worker.say(events(run, started()))
            await worker.hear(Acknowledged)
            await parts.runs.request_abort("p", run.identifier, "ann")
            await worker.say(log(run, 0, b"abc"), events(run, ended(2, b"abc", RunStatus.FAILED)))
            assert (await worker.hear(Release)).attempt == 1
        done = await parts.stored(run)
        assert (done.status, done.attempt, done.past_attempts) == (RunStatus.FAILED, 1, ())

    play(scenario)
