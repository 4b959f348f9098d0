"""Lists of runs by any filters: along indexes where these serve them, and looked at one by one where they do not."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from job_orchestra.domain.runs import Run, Source, SourceKind
from job_orchestra.domain.statuses import ACTIVE, RunStatus
from job_orchestra.repositories.conditions import holds
from job_orchestra.repositories.rows.runs import run_to_row
from job_orchestra.repositories.run_filters import RunFilter, conditions_of
from job_orchestra.repositories.run_paths import path_of, unfinished_of
from job_orchestra.repositories.run_search import Budget, RunSearch
from tests.repositories.history import past_run, store
from tests.repositories.records import ManualClock, Records, play

_SERVED = {
    "nothing": (RunFilter(), 1),
    "project": (RunFilter(project="p"), 1),
    "project and job": (RunFilter(project="p", job="j"), 1),
    "project and statuses": (RunFilter(project="p", statuses=(RunStatus.FAILED, RunStatus.EXCEPTION)), 2),
    "project, job and statuses": (RunFilter(project="p", job="j", statuses=ACTIVE), 2),
    "no status": (RunFilter(project="p", statuses=()), 0),
    "status": (RunFilter(statuses=(RunStatus.FAILED,)), 1),
    "worker": (RunFilter(worker="w"), 1),
    "worker and statuses": (RunFilter(worker="w", statuses=ACTIVE), 2),
    "source": (RunFilter(source_kind=SourceKind.USER, source_identifier="eve"), 1),
    "name of a source": (RunFilter(source_identifier="eve"), len(SourceKind)),
}
_NOT_SERVED = {
    "project and worker": (RunFilter(project="p", worker="w"), ["project"]),
    "project, job and worker": (RunFilter(project="p", job="j", worker="w"), ["worker"]),
    "status and source": (RunFilter(statuses=(RunStatus.FAILED,), source_kind=SourceKind.USER), ["source_kind"]),
}


@pytest.mark.parametrize(("runs", "branches"), _SERVED.values(), ids=list(_SERVED))
def test_an_index_serves_what_people_ask_for(runs: RunFilter, branches: int) -> None:
    path = path_of(runs)
    assert (len(path.branches), path.rest) == (branches, ())
    assert path_of(replace(runs, created_after=ManualClock().now())).rest == ()


@pytest.mark.parametrize(("runs", "rest"), _NOT_SERVED.values(), ids=list(_NOT_SERVED))
def test_the_rest_is_looked_at_along_the_index_that_serves_most(runs: RunFilter, rest: list[str]) -> None:
    assert [condition.column for condition in path_of(runs).rest] == rest


def test_unfinished_runs_of_a_worker_are_found_without_its_history() -> None:
    assert unfinished_of("w") == path_of(RunFilter(worker="w", statuses=ACTIVE))
    assert unfinished_of("w").rest == ()


def _some_runs(choose: random.Random, count: int) -> list[Run]:
    begin = ManualClock().now()
    return [
        replace(
            past_run(
                begin + timedelta(milliseconds=number // 2),
                choose.choice(list(RunStatus)),
                number=number,
                job=choose.choice("ij"),
                project=choose.choice("pq"),
            ),
            worker=choose.choice(["v", "w", None]),
            source=Source(choose.choice(list(SourceKind)), choose.choice(["adam", "eve"])),
        )
        for number in range(count)
    ]


def _some_filter(choose: random.Random, runs: list[Run]) -> RunFilter:
    def maybe(*values: object) -> object:
        return choose.choice([None, None, *values])

    some = maybe(*(tuple(choose.sample(list(RunStatus), choose.randrange(8))) for _ in range(2)))
    asked = {
        "project": maybe("p", "nowhere"),
        "job": maybe("i", "j", "nothing"),
        "statuses": some,
        "worker": maybe("v", "nobody"),
        "source_kind": maybe(*SourceKind),
        "source_identifier": maybe("eve"),
        "created_after": maybe(choose.choice(runs).created_at),
        "created_before": maybe(choose.choice(runs).created_at),
    }
    return RunFilter(**asked)  # type: ignore[arg-type]


def _meant(runs: Iterable[Run], wanted: RunFilter, newest_first: bool) -> list[str]:
    conditions = conditions_of(wanted)
    rows = [run_to_row(run) for run in runs]
    found = [str(row["identifier"]) for row in rows if all(holds(condition, row) for condition in conditions)]
    return sorted(found, reverse=newest_first)


async def _all_pages(search: RunSearch, wanted: RunFilter, limit: int, newest_first: bool) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await search.search(None, wanted, limit, cursor, newest_first)
        assert len(page.items) <= limit
        found += [run.identifier for run in page.items]
        cursor = page.next
        if cursor is None:
            return found


@pytest.mark.parametrize("seed", range(3))
def test_pages_of_any_filters_hold_every_run_that_is_meant_once(database_url: str, seed: int) -> None:
    choose = random.Random(seed)
    runs = _some_runs(choose, 120)

    async def scenario(records: Records) -> None:
        await store(records.storage, runs)
        search = RunSearch(records.storage, Budget(runs=40))
        for _ in range(60):
            wanted, newest_first = _some_filter(choose, runs), choose.random() < 0.5
            meant = _meant(runs, wanted, newest_first)
            assert await _all_pages(search, wanted, choose.choice([3, 20, 200]), newest_first) == meant, wanted
            listed = await records.runs.list(wanted, 200, None, newest_first)
            assert [run.identifier for run in listed.items] == meant, wanted
            at_most = choose.choice([1, 5, 1000])
            assert await search.count(wanted, at_most) in (None, min(len(meant), at_most)), wanted

    play(database_url, scenario)


def test_filters_that_no_index_serves_cost_no_more_than_the_budget(database_url: str) -> None:
    wanted = RunFilter(project="p", worker="w")

    async def scenario(records: Records) -> None:
        begin = records.clock.now()
        dates = [begin + timedelta(seconds=number) for number in range(30)]
        runs = [replace(past_run(date, project="q" if date > begin else "p"), worker="w") for date in dates]
        await store(records.storage, runs)
        search = RunSearch(records.storage, Budget(runs=20))
        first = await search.search(None, wanted)
        assert (first.items, first.looked_through) == ([], 20)
        assert first.looked_until == runs[10].created_at.replace(microsecond=123000)
        second = await search.search(None, wanted, cursor=first.next)
        assert ([run.identifier for run in second.items], second.looked_through) == ([runs[0].identifier], 10)
        assert second.next is None
        assert await search.count(wanted, 1000) is None

    play(database_url, scenario)


@pytest.mark.parametrize("projects", [3, 30])
def test_a_job_is_found_in_all_projects(database_url: str, projects: int) -> None:
    """Project by project, and looked for one by one where these are many."""

    async def scenario(records: Records) -> None:
        begin = records.clock.now()
        runs = [
            past_run(begin + timedelta(seconds=number), job="ij"[number % 2], project=f"p{number % projects}")
            for number in range(100)
        ]
        await store(records.storage, runs)
        search = RunSearch(records.storage)
        found = await search.search(None, RunFilter(job="j"))
        assert [run.identifier for run in found.items] == [run.identifier for run in reversed(runs[1::2])]
        assert (found.looked_through is None) == (projects == 3)
        assert (await search.search(None, RunFilter(job="nothing"))).items == []

    play(database_url, scenario)
