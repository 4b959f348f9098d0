from __future__ import annotations

from datetime import datetime, timedelta

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.roles import Role
from job_orchestra.domain.ticks import Tick, TickState
from job_orchestra.repositories.conditions import equal
from job_orchestra.storage.port import Batch, Update
from job_orchestra.storage.schema import JOBS, SCHEDULES
from tests.service.serving import Play, Served

_NIGHTLY = "/projects/example/schedules/nightly"


async def _ticks(served: Served) -> list[Tick]:
    """One of each state, a minute after the other."""
    first = served.clock.date.replace(second=0, microsecond=0)
    ticks = [
        Tick("example", "nightly", first + timedelta(minutes=number), number, state, "hello", first, detail="Why.")
        for number, state in enumerate(TickState, 1)
        if state is not TickState.DUE
    ]
    assert await served.ticks.add(ticks)
    return ticks


def test_the_ticks_of_a_schedule_are_listed_newest_first(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        assert (await client.get(f"{_NIGHTLY}/ticks")).json() == {"items": [], "next": None}
        ticks = await _ticks(served)
        page = (await client.get(f"{_NIGHTLY}/ticks?limit=3")).json()
        assert [item["state"] for item in page["items"]] == [tick.state for tick in reversed(ticks[-3:])]
        assert page["items"][0] == {
            "due": f"{ticks[-1].due:%Y-%m-%dT%H:%M:%S}.000Z",
            "state": "refused",
            "job": "hello",
            "run": None,
            "detail": "Why.",
            "decided_at": f"{ticks[-1].decided_at:%Y-%m-%dT%H:%M:%S}.000Z",
        }
        rest = (await client.get(f"{_NIGHTLY}/ticks", params={"cursor": page["next"]})).json()
        assert ([item["state"] for item in rest["items"]], rest["next"]) == (["triggered", "waiting"], None)
        oldest = (await client.get(f"{_NIGHTLY}/ticks?order_by=due&limit=1")).json()
        assert oldest["items"][0]["state"] == "waiting"
        assert (await client.get(f"{_NIGHTLY}/ticks?order_by=state")).status_code == 422
        assert (await client.get("/projects/example/schedules/unknown/ticks")).status_code == 404

    play(scenario)


def test_a_schedule_tells_its_last_and_its_next_tick(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        schedule = (await client.get(_NIGHTLY)).json()
        assert (schedule["last_tick"], schedule["next_tick"], schedule["flaw"]) == (None, None, None)
        assert (schedule["catch_up"], schedule["catch_up_age"]) == ("latest", None)
        ticks = await _ticks(served)
        schedule = (await client.post(f"{_NIGHTLY}/enable")).json()
        next_tick = datetime.fromisoformat(schedule["next_tick"])
        assert timedelta() < next_tick - served.clock.now() <= timedelta(days=1)
        assert (next_tick.hour, next_tick.minute) == (3, 0)
        assert schedule["last_tick"]["due"] == f"{ticks[-1].due:%Y-%m-%dT%H:%M:%S}.000Z"
        assert (await client.get("/projects/example/schedules")).json()["items"] == [schedule]

    play(scenario)


def test_a_broken_schedule_says_why_and_breaks_no_list(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        await client.post(f"{_NIGHTLY}/enable")
        settings: JsonObject = {"job": "hello", "expression": "0 3 * * *"}
        cases: list[tuple[JsonObject, str]] = [
            (
                {**settings, "expression": "0 3 * *"},
                "It cannot tick: '0 3 * *' in 'UTC' has 4 fields; a cron expression has",
            ),
            ({**settings, "expression": "0 99 * * *"}, "'0 99 * * *' in 'UTC' is no cron expression"),
            ({**settings, "time_zone": "Atlantis"}, "in 'Atlantis' is no time zone"),
            ({**settings, "job": "gone"}, "There is no job example/gone."),
            ({**settings, "parameters": {"nmae": 1}}, "does not take the schedule's parameters: parameters.nmae"),
            ({"jbo": "hello"}, "Its record cannot be read: jbo: is unknown; did you mean job?"),
        ]
        for broken, reason in cases:
            update = Update(SCHEDULES.name, (equal("identifier", "nightly"),), {"settings": broken})
            await served.storage.write(Batch((update,)))
            (listed,) = (await client.get("/projects/example/schedules")).json()["items"]
            assert reason in listed["flaw"]
            assert (await client.get(_NIGHTLY)).json() == listed
        # One that is no longer configured is not broken, whatever has become of its job.
        await served.storage.write(Batch((Update(SCHEDULES.name, (), {"is_active": False}),)))
        await served.storage.write(Batch((Update(JOBS.name, (), {"is_active": False}),)))
        schedule = (await client.get(_NIGHTLY)).json()
        assert (schedule["flaw"], schedule["next_tick"]) == (None, None)

    play(scenario)
