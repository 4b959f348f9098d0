"""The configuration of a master that runs, heard and seen from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from job_orchestra.domain.configuration import ConfiguredProject, parse_projects
from job_orchestra.domain.errors import Invalid
from job_orchestra.protocol.control import ConfigurationTrouble
from tests.master.peers import DEADLINE, Scenario, Surroundings


def projects_with(*jobs: str) -> tuple[ConfiguredProject, ...]:
    return parse_projects([{"identifier": "p", "jobs": [{"identifier": job, "commands": [["true"]]} for job in jobs]}])


def test_a_master_that_is_asked_applies_what_there_is_now(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving() as master:
            parts.next_projects = projects_with("other")
            master.apply_configuration()
            async with asyncio.timeout(DEADLINE):
                while await _active_jobs(parts) != ["other"]:
                    await asyncio.sleep(0.01)

    play(scenario)


def test_a_mistake_leaves_what_was_and_is_told_also_to_who_comes_later(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving() as master:
            before = await _active_jobs(parts)
            async with parts.service() as service:
                parts.mistake = Invalid.at("projects.py:3", "is wrong")
                master.apply_configuration()
                heard = await service.hear(ConfigurationTrouble)
                told = "The configuration was not applied, and the one before counts: projects.py:3: is wrong"
                assert heard.sentence == told
                assert await _active_jobs(parts) == before
                async with parts.service() as later:
                    assert (await later.hear(ConfigurationTrouble)).sentence == told
                parts.mistake = None
                master.apply_configuration()
                assert (await service.hear(ConfigurationTrouble)).sentence == ""

    play(scenario)


async def _active_jobs(parts: Surroundings) -> Sequence[str]:
    return [job.identifier for job in (await parts.jobs.list("p")).items if job.is_active]
