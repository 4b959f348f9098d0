"""Lists of runs by an expression, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx2

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.roles import Role
from job_orchestra.repositories.run_search import Budget
from tests.repositories.test_run_search import save
from tests.service.serving import Play, Served

_RESULTS: tuple[JsonObject, ...] = (
    {"tests": {"failed": 0}}, {"tests": {"failed": 3}, "a.b": {"": "ünï"}}, {}, {"tests": {"failed": "many"}},
)  # fmt: skip


async def _runs(served: Served) -> list[str]:
    return [(await save(served, await served.trigger("hello", "example"), one)).identifier for one in _RESULTS]


def test_runs_are_sought_by_their_results(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        runs = await _runs(served)

        async def sought(query: str) -> list[int]:
            page: dict[str, Any] = (await client.get(f"/projects/example/runs?{query}")).json()
            assert page["looked_through"] == len(runs)
            assert page["looked_until"].startswith("2026-11-23T10:00:00.")
            assert page["next"] is None
            return [runs.index(run["identifier"]) for run in page["items"]]

        assert await sought("where=results.tests.failed>0") == [1]
        assert await sought("where=results.tests.failed>=0&order_by=created_at") == [0, 1]
        assert await sought("where=not+results.tests.failed+%3E+0") == [3, 2, 0]
        assert await sought("where=results.%22a.b%22.%22%22='%C3%BCn%C3%AF'&job=hello") == [1]
        assert (await client.get("/runs?where=results.tests+exists&project=other")).json()["items"] == []
        page = (await client.get("/runs")).json()
        assert (page["looked_through"], page["looked_until"], len(page["items"])) == (None, None, len(runs))

    play(scenario)


def test_a_page_may_be_short_and_goes_on(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        served.run_search.budget = Budget(runs=2)
        runs = await _runs(served)
        found: list[str] = []
        pages = 0
        cursor: dict[str, str] = {}
        while True:
            page = (await client.get("/runs", params={"where": "results.tests.failed = 0", **cursor})).json()
            found += [run["identifier"] for run in page["items"]]
            pages += 1
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert (found, pages) == ([runs[0]], 3)

    play(scenario)


def test_a_mistake_is_a_problem_of_the_field(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)

        async def errors(**query: str) -> dict[str, str]:
            response: httpx2.Response = await client.get("/runs", params=query)
            assert response.status_code == 422
            return {error["field"]: error["message"] for error in response.json()["errors"]}

        assert await errors(where="results.tests.failed > ", limit="x") == {
            "where": "character 24: expected a value (a number, a text in quotes, true, false or null), "
            "but here it ends",
            "limit": "'x' is not an integer from 1 to 1000",
        }
        assert (await errors(where="results.a\n== 1"))["where"].startswith("character 11: expected one of =")
        assert "at most 2000 characters" in (await errors(where=" " * 3000))["where"]

    play(scenario)
