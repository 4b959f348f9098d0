"""Runs that are bound to the run that triggered them: none comes behind a closed door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.runs import Run, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.storage.port import Batch, Insert, Outcome, Storage
from tests.repositories.records import USER, Records, play, request_of

_BOUND = replace(request_of(), abort_with_run=True)


async def _parent(records: Records, status: RunStatus = RunStatus.RUNNING, should_abort: bool = False) -> Run:
    """One that has a worker; terminal ones ended so."""
    request = replace(request_of("p", "parent"), token=True)
    run = await records.queue.assign((await records.runs.trigger(request, USER)).run, "w")
    assert run is not None
    if should_abort:
        await records.runs.request_abort("p", run.identifier, "ada")
    if status is not RunStatus.PENDING:
        after = replace(run, status=status)
        assert await records.progress.save(run, after, [])
        run = after
    return run


def _source(parent: Run) -> Source:
    return Source(SourceKind.RUN, parent.identifier)


async def _trigger(records: Records, parent: Run, key: str | None = None) -> Run:
    records.clock.advance(0.001)
    return (await records.bound_runs.trigger(_BOUND, _source(parent), key)).run


async def _children(records: Records, parent: Run) -> list[Run]:
    wanted = RunFilter(source_kind=SourceKind.RUN, source_identifier=parent.identifier)
    return (await records.runs.list(wanted, limit=1000, newest_first=False)).items


async def _to_stop(records: Records, parent: Run) -> list[str]:
    found: list[str] = []
    page = await records.bound_runs.bound_to(parent)
    while page.place is not None:
        found += [run.identifier for run in page.to_stop]
        page = await records.bound_runs.bound_to(parent, page.place)
    return found


def test_a_run_that_goes_on_may_have_some_also_before_its_start_is_reported(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        for status in (RunStatus.PENDING, RunStatus.RUNNING):
            parent = await _parent(records, status)
            child = await _trigger(records, parent)
            assert (child.source, child.request.abort_with_run) == (_source(parent), True)
            assert await _children(records, parent) == [child]
            assert await records.queue.load(parent.identifier) == parent

    play(database_url, scenario)


@pytest.mark.parametrize("case", ["to be aborted", "about to start", RunStatus.SUCCEEDED, RunStatus.ABORTED])
def test_a_run_that_has_ended_or_is_to_be_aborted_gets_no_more(case: str, database_url: str) -> None:
    async def scenario(records: Records) -> None:
        status = {"to be aborted": RunStatus.RUNNING, "about to start": RunStatus.PENDING}.get(case) or RunStatus(case)
        parent = await _parent(records, status, should_abort=not status.is_terminal)
        with pytest.raises(Conflict, match=f"Run '{parent.identifier}' has ended or is to be aborted"):
            await _trigger(records, parent)
        assert await _children(records, parent) == []

    play(database_url, scenario)


def test_a_key_answers_with_its_run_whatever_became_of_the_parent(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        parent = await _parent(records)
        child = await _trigger(records, parent, "once")
        assert await _trigger(records, parent, "once") == child
        assert await records.progress.save(parent, replace(parent, status=RunStatus.SUCCEEDED), [])
        assert await _trigger(records, parent, "once") == child

    play(database_url, scenario)


def test_whatever_comes_while_the_door_closes_is_found_or_refused(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        parent = await _parent(records)
        triggers = [asyncio.create_task(_trigger(records, parent)) for _ in range(60)]
        await asyncio.wait(triggers, return_when=asyncio.FIRST_COMPLETED)
        await records.bound_runs.close_door(parent)
        found = set(await _to_stop(records, parent))
        outcomes = await asyncio.gather(*triggers, return_exceptions=True)
        answered = [one for one in outcomes if isinstance(one, Run)]
        assert answered
        assert {one.identifier for one in answered if not one.should_abort} <= found
        assert all(isinstance(one, Run | Conflict) for one in outcomes)
        # One whose trigger was refused may have been wished away, but goes on nowhere.
        await asyncio.gather(*(records.runs.request_abort("p", run, "run x") for run in found))
        assert await _to_stop(records, parent) == []

    play(database_url, scenario)


class WithoutTransactions:
    """A database that does one thing after the other, and something else in between."""

    def __init__(self, storage: Storage, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._storage = storage
        self._meanwhile = meanwhile
        self.find = storage.find
        self.find_all = storage.find_all
        self.count = storage.count
        self.close = storage.close
        self.commits_batches_whole = False

    async def write(self, batch: Batch) -> Outcome:
        outcome = Outcome()
        for operation in batch.operations:
            if isinstance(operation, Insert):
                await self._meanwhile()
            outcome = await self._storage.write(Batch((operation,)))
            if not outcome.is_applied:
                break
        return outcome


@pytest.mark.parametrize("ending", [None, RunStatus.ABORTED, RunStatus.SUCCEEDED])
def test_a_run_that_slips_through_the_closing_door_is_stopped_at_once(
    sqlite_url: str, ending: RunStatus | None
) -> None:
    async def scenario(records: Records) -> None:
        parent = await _parent(records)

        async def close() -> None:
            if ending is not RunStatus.SUCCEEDED:
                await records.bound_runs.close_door(parent)
            if ending is not None:
                assert await records.progress.save(parent, replace(parent, status=ending), [])

        slow = BoundRuns(WithoutTransactions(records.storage, close), records.clock)
        child = (await slow.trigger(_BOUND, _source(parent))).run
        is_stopped = ending is not RunStatus.SUCCEEDED
        assert (child.should_cancel, child.should_abort) == (is_stopped, is_stopped)
        assert child.wished_by == (f"run {parent.identifier}" if is_stopped else None)
        assert await _children(records, parent) == [child]

    play(sqlite_url, scenario)


def test_the_door_is_closed_for_one_attempt_and_keeps_who_closed_it(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        parent = await _parent(records)
        await records.bound_runs.close_door(replace(parent, attempt=2))
        assert await records.queue.load(parent.identifier) == parent
        await records.bound_runs.close_door(parent)
        closed = replace(parent, should_abort=True, wished_by="worker w")
        assert await records.queue.load(parent.identifier) == closed
        wished = await records.runs.request_abort("p", (await _parent(records)).identifier, "ada")
        await records.bound_runs.close_door(wished)
        assert await records.queue.load(wished.identifier) == wished

    play(database_url, scenario)


def test_those_that_are_bound_are_found_page_by_page_among_all_that_were_triggered(sqlite_url: str) -> None:
    async def scenario(records: Records) -> None:
        parent, other = await _parent(records), await _parent(records)
        await _trigger(records, other)
        bound: list[str] = []
        for number in range(1100):
            if number % 2:
                await records.runs.trigger(request_of(), _source(parent))
                records.clock.advance(0.001)
            else:
                bound.append((await _trigger(records, parent)).identifier)
        assert await _to_stop(records, parent) == bound

    play(sqlite_url, scenario)
