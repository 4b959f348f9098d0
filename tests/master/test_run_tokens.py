"""Runs whose jobs ask for a token: it is sent with them, works before they have started, and goes with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.protocol.control import RunTriggered
from job_orchestra.protocol.messages import Accepted, Execute, Release
from job_orchestra.repositories.conditions import equal
from job_orchestra.storage.port import Count
from job_orchestra.storage.schema import TOKENS
from tests.master.peers import DEADLINE, Scenario, Surroundings, ended, events, log, started


async def triggered(parts: Surroundings) -> Run:
    request = RunRequest("p", "j", CommandsDefinition((("true",),)), token=True)
    return (await parts.runs.trigger(request, Source(SourceKind.USER, "eve"))).run


async def number_of_tokens(parts: Surroundings) -> int:
    return await parts.storage.count(Count(TOKENS.name, (equal("kind", "run"),)))


def test_a_token_is_sent_with_the_run_and_goes_with_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving():
            run = await triggered(parts)
            async with parts.service() as service:
                await service.hint(RunTriggered(run.identifier))
                async with parts.worker() as (worker, _):
                    lost = await worker.hear(Execute)
                # It was not accepted, so it is sent again, with a token that its worker can use.
                async with parts.worker() as (worker, _):
                    execute = await worker.hear(Execute)
                    assert len({lost.token, execute.token, ""}) == 3
                    identity = await parts.accounts.authenticate(execute.token)
                    assert identity.run is not None
                    assert (identity.run.project, identity.run.run) == ("p", run.identifier)
                    await worker.say(
                        Accepted(run.identifier, 1),
                        events(run, started()),
                        log(run, 0, b"x"),
                        events(run, ended(2, b"x")),
                    )
                    await worker.hear(Release)
            async with asyncio.timeout(DEADLINE):
                while await number_of_tokens(parts):
                    await asyncio.sleep(0.01)

    play(scenario)
