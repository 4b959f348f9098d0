"""Runs that are aborted with the run that triggered them, and those that are not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from job_orchestra.domain.definitions import CommandsDefinition, ElementDefinition, PipelineDefinition, Workspace
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.control import RunWish
from job_orchestra.protocol.messages import Abort, Accepted, Acknowledged, Execute, Release
from tests.master.peers import (
    DEADLINE,
    Scenario,
    Surroundings,
    WorkerPeer,
    ended,
    events,
    fresh_database,
    log,
    started,
    surroundings,
)

_COMMANDS = CommandsDefinition((("true",),))
_USER = Source(SourceKind.USER, "eve")


async def trigger(
    parts: Surroundings,
    parent: Run | None = None,
    *,
    is_bound: bool = True,
    is_possible: bool = True,
    definition: CommandsDefinition | PipelineDefinition = _COMMANDS,
) -> Run:
    """A run that may trigger others; what is not possible waits for ever."""
    request = RunRequest(
        "p",
        "j",
        definition,
        properties={} if is_possible else {"operating_system": "plan9"},
        workspace=Workspace.RUN,
        token=True,
        abort_with_run=parent is not None and is_bound,
    )
    source = _USER if parent is None else Source(SourceKind.RUN, parent.identifier)
    repository = parts.bound_runs if request.abort_with_run else parts.runs
    return (await repository.trigger(request, source)).run


async def begin(worker: WorkerPeer, parts: Surroundings, run: Run) -> Run:
    assert (await worker.hear(Execute)).run == run.identifier
    await worker.say(Accepted(run.identifier, 1), log(run, 0, b"x"), events(run, started()))
    await worker.hear(Acknowledged)
    return await parts.stored(run)


async def abort_of(worker: WorkerPeer, run: str) -> Abort:
    """The next one of this run: meanwhile the master may repeat that of another, even if its end is on its way."""
    while (abort := await worker.hear(Abort)).run != run:
        pass
    return abort


async def until(parts: Surroundings, run: Run, status: RunStatus) -> Run:
    async with asyncio.timeout(DEADLINE):
        while (found := await parts.stored(run)).status is not status:
            await asyncio.sleep(0.01)
    return found


@pytest.mark.parametrize("is_hinted", [True, False])
def test_a_wish_is_passed_on_to_all_that_are_bound_and_from_these(
    play: Callable[[Scenario], None], is_hinted: bool
) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.service() as service, parts.worker() as (worker, _):
            parent = await begin(worker, parts, await trigger(parts))
            child = await begin(worker, parts, await trigger(parts, parent))
            waiting, grandchild, free = [
                await trigger(parts, source, is_bound=is_bound, is_possible=False)
                for source, is_bound in ((parent, True), (child, True), (parent, False))
            ]
            await parts.runs.request_abort("p", parent.identifier, "eve")
            if is_hinted:
                await service.hint(RunWish(parent.identifier))
            by_parent = f"run {parent.identifier}"
            assert await abort_of(worker, parent.identifier) == Abort(parent.identifier, 1, "eve")
            assert await abort_of(worker, child.identifier) == Abort(child.identifier, 1, by_parent)
            cancelled = await until(parts, waiting, RunStatus.CANCELLED)
            assert cancelled.reason is not None
            assert cancelled.reason.sentence == f"Cancelled by {by_parent} before it started."
            assert (await until(parts, grandchild, RunStatus.CANCELLED)).wished_by == f"run {child.identifier}"
            assert await parts.stored(free) == free

    play(scenario)


@pytest.mark.parametrize("status", [RunStatus.ABORTED, RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.EXCEPTION])
def test_what_a_worker_has_stopped_takes_along_what_is_bound_to_it_and_no_other_end_does(
    play: Callable[[Scenario], None], status: RunStatus
) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.worker() as (worker, _):
            parent = await begin(worker, parts, await trigger(parts))
            child = await begin(worker, parts, await trigger(parts, parent))
            waiting, free = [await trigger(parts, parent, is_bound=one, is_possible=False) for one in (True, False)]
            await worker.say(events(parent, ended(2, b"x", status)))
            assert (await worker.hear(Release)).run == parent.identifier
            # All of it was done before the end was committed.
            stored = await parts.stored(parent)
            assert stored.status is status
            if status is RunStatus.ABORTED:
                by = f"run {parent.identifier}"
                assert (stored.should_abort, stored.wished_by) == (True, "worker w")
                assert ((await parts.stored(child)).should_abort, (await parts.stored(child)).wished_by) == (True, by)
                assert (await parts.stored(waiting)).status is RunStatus.CANCELLED
            else:
                assert [await parts.stored(run) for run in (child, waiting)] == [child, waiting]
            assert await parts.stored(free) == free

    play(scenario)


def test_an_abort_reaches_a_pipeline_and_its_parts(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        definition = PipelineDefinition((ElementDefinition("only", "j"),))
        async with parts.serving(), parts.worker() as (worker, _):
            parent = await begin(worker, parts, await trigger(parts))
            pipeline = await trigger(parts, parent, definition=definition)
            part = await worker.hear(Execute)
            await until(parts, pipeline, RunStatus.RUNNING)
            await worker.say(events(parent, ended(2, b"x", RunStatus.ABORTED)))
            assert await abort_of(worker, part.run) == Abort(part.run, 1, f"run {parent.identifier}")
            run = await parts.queue.load(part.run)
            assert run is not None
            await worker.say(events(run, started(), ended(2, b"", RunStatus.ABORTED)))
            assert (await until(parts, pipeline, RunStatus.ABORTED)).should_abort

    play(scenario)


def test_a_run_that_is_cancelled_between_two_attempts_takes_along_what_the_first_has_triggered(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(parts: Surroundings) -> None:
        parent = await parts.queue.assign(await trigger(parts), "gone")
        assert parent is not None
        child = await trigger(parts, parent, is_possible=False)
        waiting = await parts.queue.unassign(parent)
        assert waiting is not None
        async with parts.serving():
            await parts.runs.request_cancel("p", waiting.identifier, "eve")
            await until(parts, parent, RunStatus.CANCELLED)
            assert (await parts.stored(child)).status is RunStatus.CANCELLED

    play(scenario)


def test_two_masters_stop_together_what_each_has_the_worker_of(tmp_path: Path) -> None:
    async def scenario() -> None:
        url = fresh_database(tmp_path)
        async with surroundings(url, tmp_path) as one:
            other = Surroundings(url, tmp_path)
            other.identifier, other.token = "other", one.token
            try:
                async with one.serving(), other.serving(), one.worker() as (first, _):
                    parent = await begin(first, one, await trigger(one))
                    await begin(first, one, await trigger(one))  # all executors are busy
                    async with other.worker(name="v") as (second, _):
                        child = await begin(second, other, await trigger(other, parent))
                        waiting = [await trigger(one, parent, is_possible=False) for _ in range(20)]
                        await one.runs.request_abort("p", parent.identifier, "eve")
                        assert await second.hear(Abort) == Abort(child.identifier, 1, f"run {parent.identifier}")
                        for run in waiting:
                            await until(other, run, RunStatus.CANCELLED)
            finally:
                await other.storage.close()
                await other.log_store.close()

    asyncio.run(scenario())
