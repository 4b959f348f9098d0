"""The master keeps the index of results: for runs of before, and for those that workers report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from job_orchestra.domain.events import ResultsChanged
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.protocol.messages import Accepted, Acknowledged, Execute
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_search import Budget, RunSearch
from job_orchestra.storage.port import Find, Order
from tests.master.peers import DEADLINE, Scenario, Surroundings, events, started


async def _until_complete(parts: Surroundings) -> None:
    query = Find("result_keys", (), (Order("path"),))
    async with asyncio.timeout(DEADLINE):
        while [row["state"] for row in await parts.storage.find(query)] != ["complete"]:
            await asyncio.sleep(0.01)


def test_runs_of_before_and_of_now_are_found_along_the_index(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        before = await parts.trigger()
        old = replace(before, results={"tests": {"failed": 2}})
        assert await RunProgress(parts.storage, parts.clock).save(before, old, [])
        async with parts.serving(), parts.worker() as (worker, _):
            run = await parts.trigger()
            while (await worker.hear(Execute)).run != run.identifier:
                pass
            told = ResultsChanged(2, parts.clock.now(), {"tests": {"failed": 2}})
            await worker.say(Accepted(run.identifier, 1), events(run, started(), told))
            while (await worker.hear(Acknowledged)).run != run.identifier:
                pass
            await _until_complete(parts)
        rows = await parts.storage.find(Find("run_values", (), (Order("run"), Order("value"))))
        assert [row["run"] for row in rows] == [before.identifier, run.identifier]
        search = RunSearch(parts.storage, Budget(few=0))
        found = await search.search(parse_expression("results.tests.failed = 2"), RunFilter())
        assert [one.identifier for one in found.items] == [run.identifier, before.identifier]

    play(scenario)
