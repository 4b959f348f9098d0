from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.errors import Conflict, Invalid, NotFound
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.domain.runs import RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.run_filters import RunFilter
from tests.repositories.records import USER, Records, play, request_of


def test_a_triggered_run_is_read_back_as_it_was(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        request = RunRequest(
            project="p",
            job="j",
            definition=CommandsDefinition(
                (("echo", "ünï\U0001f600", "{parameters[a]}"),), setup=(("a",),), teardown=(("b",),)
            ),
            parameters={"a": [1, 2.5, None, True, {"b": "2026-11-23T10:00:00Z"}]},
            properties={"operating_system": ["linux", "darwin"]},
            workspace=Workspace.RUN,
            limits=RunLimits(timeout=1.5, log_size=None),
            priority=-7,
        )
        triggered = await records.runs.trigger(request, Source(SourceKind.WEBHOOK, "w"), retry_of="earlier")
        assert triggered.is_new
        assert await records.runs.get("p", triggered.run.identifier) == triggered.run
        assert triggered.run.created_at == records.clock.date

    play(database_url, scenario)


def test_a_run_of_another_project_is_not_found(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await records.trigger()
        with pytest.raises(NotFound, match="q/"):
            await records.runs.get("q", run.identifier)

    play(database_url, scenario)


def test_one_idempotency_key_makes_one_run_however_many_ask_at_once(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        triggered = await asyncio.gather(*(records.runs.trigger(request_of(), USER, "key") for _ in range(20)))
        assert len({one.run.identifier for one in triggered}) == 1
        assert sum(one.is_new for one in triggered) == 1
        other_job = await records.runs.trigger(request_of(job="other"), USER, "key")
        assert other_job.is_new
        assert len((await records.runs.list()).items) == 2

    play(database_url, scenario)


def test_pages_hold_every_run_once_in_either_order(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        expected = [(await records.trigger()).identifier for _ in range(7)]
        for newest_first in (True, False):
            found: list[str] = []
            cursor: str | None = None
            while True:
                page = await records.runs.list(limit=3, cursor=cursor, newest_first=newest_first)
                found += [run.identifier for run in page.items]
                cursor = page.next
                if cursor is None:
                    break
            assert found == (expected[::-1] if newest_first else expected)

    play(database_url, scenario)


def test_a_page_that_ends_the_list_has_no_cursor(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        for _ in range(3):
            await records.trigger()
        assert (await records.runs.list(limit=3)).next is None
        assert (await records.runs.list(limit=2)).next is not None

    play(database_url, scenario)


@pytest.mark.parametrize(
    "cursor", ["", "x", "bnVsbA", "W10", "WzFd", "WyJhIiwiYiJd", "WyJcdTAwMDAiXQ", "a" * 5000, "é"]
)
def test_a_cursor_of_nowhere_is_invalid(database_url: str, cursor: str) -> None:
    async def scenario(records: Records) -> None:
        with pytest.raises(Invalid, match="cursor"):
            await records.runs.list(cursor=cursor)

    play(database_url, scenario)


def test_filters_combine(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first = await records.trigger("j")
        other = await records.trigger("other")
        await records.trigger("j", project="q")
        assigned = await records.queue.assign(first, "w")
        assert assigned is not None

        async def found(runs: RunFilter) -> set[str]:
            return {run.identifier for run in (await records.runs.list(runs)).items}

        assert await found(RunFilter(project="p")) == {first.identifier, other.identifier}
        assert await found(RunFilter(project="p", job="other")) == {other.identifier}
        assert await found(RunFilter(worker="w")) == {first.identifier}
        assert await found(RunFilter(project="p", statuses=(RunStatus.RUNNING,))) == set()
        assert await found(RunFilter(project="p", job="j", statuses=(RunStatus.RUNNING, RunStatus.PENDING))) == {
            first.identifier
        }
        assert await found(RunFilter(source_kind=SourceKind.USER, source_identifier="nobody")) == set()
        assert len(await found(RunFilter(source_kind=SourceKind.USER, source_identifier="somebody"))) == 3
        after, before = other.created_at, other.created_at + timedelta(milliseconds=1)
        assert await found(RunFilter(created_after=after, created_before=before)) == {other.identifier}

    play(database_url, scenario)


def test_cancel_is_for_what_has_not_started(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await records.trigger()
        wished = await records.runs.request_cancel("p", run.identifier, "me")
        assert (wished.should_cancel, wished.wished_by, wished.status) == (True, "me", RunStatus.PENDING)
        with pytest.raises(NotFound):
            await records.runs.request_cancel("p", "nope", "me")

    play(database_url, scenario)


def test_a_running_run_is_aborted_not_cancelled(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        run = await records.trigger()
        assigned = await records.queue.assign(run, "w")
        assert assigned is not None
        assert await records.progress.save(assigned, replace(assigned, status=RunStatus.RUNNING), [])
        with pytest.raises(Conflict, match="abort it instead"):
            await records.runs.request_cancel("p", run.identifier, "me")
        wished = await records.runs.request_abort("p", run.identifier, "me")
        assert (wished.should_abort, wished.should_cancel) == (True, False)
        running = replace(assigned, status=RunStatus.RUNNING)
        assert await records.progress.save(running, replace(running, status=RunStatus.SUCCEEDED), [])
        for request in (records.runs.request_abort, records.runs.request_cancel):
            with pytest.raises(Conflict, match="has ended already: it is succeeded"):
                await request("p", run.identifier, "me")

    play(database_url, scenario)


def test_a_wish_and_a_start_at_once_lose_neither(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        for _ in range(10):
            run = await records.trigger()
            assigned = await records.queue.assign(run, "w")
            assert assigned is not None
            running = replace(assigned, status=RunStatus.RUNNING)
            wished, is_saved = await asyncio.gather(
                records.runs.request_abort("p", run.identifier, "me"), records.progress.save(assigned, running, [])
            )
            assert is_saved
            assert wished.should_abort
            stored = await records.runs.get("p", run.identifier)
            assert (stored.status, stored.should_abort) == (RunStatus.RUNNING, True)
            assert run.identifier in {one.identifier for one in await records.queue.wished(100)}

    play(database_url, scenario)
