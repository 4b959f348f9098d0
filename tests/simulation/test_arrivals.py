"""What the simulation has found about workers that come and go while storage is slow, each by itself."""

from __future__ import annotations

import asyncio

from job_orchestra.protocol.messages import Execute, Goodbye, Welcome
from tests.simulation.stage import Stage


def test_a_slow_farewell_does_not_pass_for_the_end_of_the_connection_that_came_after() -> None:
    stage = Stage()

    async def scenario() -> None:
        async with stage.peer() as first:
            await first.greet()
            await first.hear(Welcome)
            stage.road.seconds["write workers"] = 3.0
        await asyncio.sleep(0.5)
        stage.road.seconds["write workers"] = 0.0
        async with stage.peer() as second:
            await second.greet()
            await second.hear(Welcome)
            await asyncio.sleep(5.0)
            assert (await stage.workers.get("w")).is_connected

    stage.play(scenario)


def test_who_comes_while_its_earlier_connection_is_still_storing_is_told_to_come_again() -> None:
    stage = Stage()

    async def scenario() -> None:
        run = await stage.trigger()
        stage.road.seconds["append to logs"] = 30.0
        async with stage.peer() as first:
            await first.greet()
            await first.hear(Execute)
            await first.say(first.log(run, 0, b"x"))
            async with stage.peer() as second:
                await second.greet()
                assert "still being stored" in (await second.hear(Goodbye)).message

    stage.play(scenario)
