"""Runs found by expressions: the same ones from every database, with an index of results and without, in any pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.queries.evaluation import Asked, matches
from job_orchestra.domain.queries.expressions import And, Expression
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.domain.queries.paths import Path, Source
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_search import Budget, RunSearch, Searched
from job_orchestra.storage.port import Batch, Count, Find, Outcome, Row, Storage
from tests.domain.query_strategies import conditions, expressions, objects
from tests.domain.strategies import checked
from tests.repositories.records import Records, play

_INDEXED = [Path(Source.RESULTS, steps) for steps in (("a",), ("b",), ("a.b",), ("a", "b"), ("",), (0,))]
_KEYS = tuple(path.key for path in _INDEXED)
_sought = conditions(st.sampled_from(_INDEXED))
_conjunctions = st.lists(_sought, min_size=1, max_size=3).map(
    lambda parts: And(tuple(parts)) if parts[1:] else parts[0]
)
_budgets = st.builds(Budget, st.integers(1, 30), st.sampled_from([0.0, 10.0]), st.sampled_from([0, 1, 5, 1000]))


async def save(records: Records, run: Run, results: JsonObject) -> Run:
    """As when its worker tells of them."""
    after = replace(run, results=results, journal_sequence=run.journal_sequence + 1)
    assert await records.progress.save(run, after, [])
    return after


async def index(records: Records, *keys: str) -> None:
    """Until there is nothing left to do."""
    results = ResultIndex(records.storage, records.clock, keys, settling=0)
    while await results.look():
        pass


async def pages(
    search: RunSearch, text: str | Expression, limit: int = 100, newest_first: bool = True
) -> list[Searched]:
    expression = parse_expression(text) if isinstance(text, str) else text
    found = [await search.search(expression, RunFilter(), limit, None, newest_first)]
    while found[-1].next is not None:
        assert len(found) < 1000
        found.append(await search.search(expression, RunFilter(), limit, found[-1].next, newest_first))
        assert len(found[-1].items) <= limit
    return found


async def identifiers(
    search: RunSearch, text: str | Expression, limit: int = 100, newest_first: bool = True
) -> list[str]:
    return [run.identifier for page in await pages(search, text, limit, newest_first) for run in page.items]


@pytest.mark.parametrize("is_indexed", [False, True], ids=["walk", "index"])
def test_any_pages_of_any_runs_hold_those_that_are_meant(database_url: str, is_indexed: bool) -> None:
    stored: dict[str, JsonObject] = {}

    @settings(checked, max_examples=15)
    @given(
        st.lists(st.lists(objects, min_size=1, max_size=2), max_size=8),
        st.lists(_conjunctions | expressions, min_size=1, max_size=6),
        _budgets,
        st.integers(1, 20),
        st.booleans(),
    )
    def example(
        results: list[list[JsonObject]], sought: list[Expression], budget: Budget, limit: int, newest_first: bool
    ) -> None:
        async def scenario(records: Records) -> None:
            records.clock.advance(len(stored))
            for several in results:
                run = await records.trigger()
                for one in several:
                    run = await save(records, run, one)
                stored[run.identifier] = json.loads(json.dumps(run.results))
            if is_indexed:
                await index(records, *_KEYS)
            search = RunSearch(records.storage, budget)
            for expression in sought:
                meant = [run for run, results in stored.items() if matches(expression, Asked({}, results))]
                found = await identifiers(search, expression, limit, newest_first)
                assert found == sorted(meant, reverse=newest_first), str(expression)

        play(database_url, scenario)

    example()


def test_other_filters_hold_as_well(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        runs = [await records.trigger(job, project) for job in "ij" for project in "pq" for _ in range(3)]
        for number, run in enumerate(runs):
            await save(records, run, {"n": number % 2, "text": "x"})
        await index(records, "n")
        created_after = runs[3].created_at
        wanted = RunFilter(project="p", statuses=(RunStatus.PENDING,), created_after=created_after)
        for few in (0, 1000):
            search = RunSearch(records.storage, Budget(few=few))
            for text in (
                "results.n = 1",
                "results.n > 0",
                "results.n in (1, 2)",
                "results.text = 'x' and results.n >= 1",
            ):
                found = await search.search(parse_expression(text), wanted)
                expected = [
                    run for number, run in enumerate(runs) if number % 2 and number >= 3 and number // 3 % 2 == 0
                ]
                assert [run.identifier for run in found.items] == [run.identifier for run in reversed(expected)]

    play(database_url, scenario)


def test_a_request_costs_no_more_than_its_budget(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        runs = [await records.trigger() for _ in range(35)]
        oldest = await save(records, runs[0], {"rare": True})
        found = await pages(RunSearch(records.storage, Budget(runs=10)), "results.rare = true")
        assert [page.looked_through for page in found] == [10, 10, 10, 5]
        assert [len(page.items) for page in found] == [0, 0, 0, 1]
        assert found[-1].items == [oldest]
        milliseconds = [page.looked_until and page.looked_until.microsecond // 1000 for page in found]
        assert milliseconds == [runs[place].created_at.microsecond // 1000 for place in (25, 15, 5, 0)]
        # However little time there is, every request comes further.
        assert await identifiers(RunSearch(records.storage, Budget(seconds=0)), "results.rare exists") == [
            oldest.identifier
        ]
        nothing = await RunSearch(records.storage).search(parse_expression("results.a = 1"), RunFilter(project="none"))
        assert (nothing.items, nothing.next, nothing.looked_through, nothing.looked_until) == ([], None, 0, None)

    play(database_url, scenario)


def test_a_full_page_goes_on_behind_its_last_run(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        runs = [await save(records, await records.trigger(), {"n": 1}) for _ in range(5)]
        found = await pages(RunSearch(records.storage), "results.n = 1", limit=2)
        assert [len(page.items) for page in found] == [2, 2, 1]
        assert [run for page in found for run in page.items] == runs[::-1]
        with pytest.raises(Invalid, match="cursor"):
            await RunSearch(records.storage).search(parse_expression("results.n = 1"), RunFilter(), cursor="x")

    play(database_url, scenario)


def test_parameters_are_asked_for_too(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        request = replace((await records.trigger()).request, parameters={"branch": "main"})
        run = (await records.runs.trigger(request, (await records.trigger()).source)).run
        search = RunSearch(records.storage)
        assert await identifiers(search, "parameters.branch = 'main'") == [run.identifier]
        assert await identifiers(search, "results.branch = 'main'") == []

    play(database_url, scenario)


@dataclass
class Watched:
    """The storage, and how many rows of each collection were read from it."""

    storage: Storage
    read: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def commits_batches_whole(self) -> bool:
        return self.storage.commits_batches_whole

    async def find(self, query: Find) -> list[Row]:
        rows = await self.storage.find(query)
        self.read[query.collection] = self.read.get(query.collection, 0) + len(rows)
        return rows

    async def find_all(self, queries: Sequence[Find]) -> list[list[Row]]:
        return [await self.find(query) for query in queries]

    async def count(self, query: Count) -> int:
        return await self.storage.count(query)

    async def write(self, batch: Batch) -> Outcome:
        return await self.storage.write(batch)

    async def close(self) -> None:
        await self.storage.close()


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("results.n = 7", 3), ("results.n in (7, 8)", 6), ("results.n > 98", 3), ("results.t starts with 'even 9'", 15),
        ("results.n = 7 and results.t contains 'odd'", 3), ("results.other = 1 and results.n = 7", 3),
        ("not results.n = 7", 300), ("results.other = 1", 300), ("results.n = 7 or results.n = 8", 300),
    ],
)  # fmt: skip
@pytest.mark.parametrize("few", [0, 50])
def test_an_index_leads_to_those_that_are_meant(sqlite_url: str, text: str, runs: int, few: int) -> None:
    async def scenario(records: Records) -> None:
        for number in range(300):
            n = number % 100
            await save(records, await records.trigger(), {"n": n, "t": f"{'odd' if n % 2 else 'even'} {n}"})
        await index(records, "n", "t")
        watched = Watched(records.storage)
        await identifiers(RunSearch(watched, Budget(few=few)), text, limit=500)
        # A range that is walked looks at the last run of each stretch, too.
        assert runs <= watched.read["runs"] <= runs + (6 if few == 0 else 0)

    play(sqlite_url, scenario)


def test_nobody_waits_for_a_search(sqlite_url: str) -> None:
    """Large results are looked at in a thread, and the fewer at once the larger they are."""

    async def scenario(records: Records) -> None:
        text = "x" * 200_000
        for _ in range(30):
            await save(records, await records.trigger(), {"text": text})
        searching = asyncio.create_task(
            RunSearch(records.storage).search(parse_expression("results.text contains 'y'"), RunFilter())
        )
        turns = 0
        while not searching.done():
            turns += 1
            await asyncio.sleep(0)
        assert turns > 10
        assert (await searching).items == []

    play(sqlite_url, scenario)
