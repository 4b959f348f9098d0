"""Pipelines that wait begin all, however many they are, and cost little while they may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from job_orchestra.domain.definitions import ElementDefinition, PipelineDefinition
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.master.run_group import GROUP_WINDOW
from job_orchestra.master.run_groups import RunGroups
from job_orchestra.protocol.control import RunChanged
from tests.master.peers import Scenario, Surroundings

_MANY = 450
"""More than are loaded at once, twice."""
_REQUEST = RunRequest("p", "all", PipelineDefinition((ElementDefinition("one", "j"),)))
_USER = Source(SourceKind.USER, "eve")


def test_all_begin_however_many_they_are(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        waiting = {(await parts.runs.trigger(_REQUEST, _USER)).run.identifier for _ in range(_MANY)}
        async with parts.serving(), parts.service() as service:
            while True:
                found = await parts.queue.load_many(sorted(waiting))
                waiting = {run.identifier for run in found if run.status is RunStatus.PENDING}
                if not waiting:
                    break
                await service.hear(RunChanged)

    play(scenario)


def test_only_those_that_come_next_are_in_memory() -> None:
    groups = RunGroups()
    run = Run("", replace(_REQUEST, concurrency="few"), _USER, datetime(2026, 11, 26, tzinfo=UTC))
    for number in range(GROUP_WINDOW + 500):
        groups.add(replace(run, identifier=f"{number:014}"))
    assert (len(groups), groups.has_limited) == (GROUP_WINDOW, True)
    assert f"{GROUP_WINDOW - 1:014}" in groups
    assert f"{GROUP_WINDOW:014}" not in groups
    for number in range(GROUP_WINDOW):
        groups.discard(f"{number:014}")
    (key,) = groups.groups_to_refill()
    assert key == "p/all/pipeline"
    assert (len(groups), groups.has_limited, groups.groups_to_refill()) == (0, False, [])
