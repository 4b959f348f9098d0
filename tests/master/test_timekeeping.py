from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.repositories.conditions import equal
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.storage.port import Batch, Update
from job_orchestra.storage.schema import SCHEDULES
from tests.master.timekeeping import START, Clock, Master, Road, Stage

_SEEDS = 20


def at(*time: int) -> datetime:
    hour, minute, second = time
    return START.replace(hour=hour, minute=minute, second=second)


def test_a_tick_makes_its_run_at_its_moment() -> None:
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({"parameters": {}})
        master = stage.master()
        await stage.until(12, 0, 1)
        (run,) = await stage.unended()
        assert timedelta() <= run.created_at - at(12, 0, 0) < timedelta(milliseconds=5)
        assert (run.source.kind, run.source.identifier, run.request.job) == ("schedule", "s", "j")
        assert master.told == [run.identifier]
        (tick,) = await stage.all_ticks()
        assert (tick.run, tick.due, tick.job, tick.request) == (run.identifier, at(12, 0, 0), "j", None)

    stage.play(scenario)


def test_a_tick_while_the_last_run_has_not_ended_makes_none() -> None:
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({})
        stage.master()
        await stage.until(12, 2, 1)
        (run,) = await stage.unended()
        first, *others = await stage.all_ticks()
        assert [tick.detail for tick in others] == [f"Run {run.identifier} of this schedule had not ended."] * 2
        stage.end_runs()
        await stage.end(run.identifier)
        await stage.until(12, 4, 1)
        assert await stage.told() == [
            "12:00 triggered", "12:01 busy", "12:02 busy", "12:03 triggered", "12:04 triggered",
        ]  # fmt: skip
        assert first.run == run.identifier

    stage.play(scenario)


def test_a_schedule_ticks_from_its_switch_on_and_no_longer_than_that() -> None:
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({"is_enabled_at_first": False})
        master = stage.master()
        stage.end_runs()
        await stage.until(12, 3, 30)
        await stage.schedules.set_enabled("p", "s", True)
        # Without a hint it takes a second, with one no time at all; the tick is on time in both cases.
        await stage.until(12, 4, 59)
        await stage.schedules.set_enabled("p", "s", False)
        await stage.schedules.set_enabled("p", "s", True)
        master.timekeeper.schedule_switched()
        await stage.until(12, 5, 30)
        await stage.schedules.set_enabled("p", "s", False)
        await stage.until(12, 8, 30)
        await stage.schedules.set_enabled("p", "s", True)
        await stage.until(12, 9, 30)
        assert await stage.told() == ["12:04 triggered", "12:05 triggered", "12:09 triggered"]

    stage.play(scenario)


@pytest.mark.parametrize(
    ("settings", "missed"),
    [
        ({"catch_up": "none"}, ["missed", "missed", "missed"]),
        ({}, ["missed", "missed", "triggered"]),
        ({"catch_up": "latest", "catch_up_age": 60}, ["missed", "missed", "missed"]),
        ({"catch_up": "all"}, ["triggered", "triggered", "triggered"]),
        ({"catch_up": "all", "catch_up_age": 220}, ["missed", "triggered", "triggered"]),
    ],
)
def test_what_comes_of_ticks_without_a_master(settings: JsonObject, missed: list[str]) -> None:
    stage = Stage()

    async def scenario() -> None:
        schedule: JsonObject = {"expression": "*/2 * * * *", **settings}
        await stage.configure(schedule)
        stage.end_runs()
        master = stage.master()
        await stage.until(12, 1, 0)
        await master.die()
        await stage.until(12, 7, 30)
        # What says nothing of its times changes nothing about what was missed.
        await stage.configure({**schedule, "description": "new"})
        stage.master()
        await stage.until(12, 8, 30)
        assert [tick.state for tick in await stage.all_ticks()] == ["triggered", *missed, "triggered"]
        await stage.audit(since=START, until=at(12, 8, 0))

    stage.play(scenario)


@pytest.mark.parametrize(("ended_at", "fate"), [(at(12, 3, 0), "triggered"), (at(12, 5, 0), "busy")])
def test_what_was_missed_waits_for_the_end_of_a_run_of_which_nobody_has_told_yet(ended_at: datetime, fate: str) -> None:
    """It ended without a master, and its worker is not back; then it comes out whether it went on at the tick."""
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({"expression": "*/2 * * * *"})
        master = stage.master()
        await stage.until(12, 1, 0)
        await master.die()
        await stage.until(12, 5, 30)
        stage.master()
        await stage.until(12, 5, 35)
        assert await stage.told() == ["12:00 triggered", "12:02 missed", "12:04 waiting"]
        (run,) = await stage.unended()
        its_host = Clock(stage.loop, shift=ended_at - stage.clock.now())
        reason = Reason(ReasonCode.CANCEL_REQUESTED, "The test wants it.")
        assert await RunQueue(stage.storage, its_host).cancel(run, reason) is not None
        await stage.until(12, 5, 40)
        assert await stage.told() == ["12:00 triggered", "12:02 missed", f"12:04 {fate}"]

    stage.play(scenario)


def test_a_tick_that_is_a_little_late_was_not_missed() -> None:
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({"catch_up": "none", "expression": "0 12 * * *"})
        await stage.until(12, 0, 45)
        stage.master()
        await stage.until(12, 0, 46)
        assert await stage.told() == ["12:00 triggered"]

    stage.play(scenario)


def test_what_is_caught_up_with_ends_with_the_switch() -> None:
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({"catch_up": "all"})
        await stage.until(12, 4, 10)
        stage.master()
        await stage.until(12, 4, 30)
        assert await stage.told() == [
            "12:00 triggered", "12:01 waiting", "12:02 waiting", "12:03 waiting", "12:04 busy",
        ]  # fmt: skip
        await stage.schedules.set_enabled("p", "s", False)
        await stage.until(12, 6, 30)
        assert await stage.told() == [
            "12:00 triggered", "12:01 missed", "12:02 missed", "12:03 missed", "12:04 busy",
        ]  # fmt: skip

    stage.play(scenario)


def test_of_a_year_without_a_master_there_are_not_more_rows_than_can_be_read() -> None:
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({})
        stage.clock.shift = timedelta(days=365)
        stage.master()
        await asyncio.sleep(1.0)
        ticks = await stage.all_ticks()
        assert len(ticks) == 1000
        assert "Earlier ones were missed, too" in ticks[0].detail
        assert {tick.state for tick in ticks[:-1]} == {"missed"}
        assert ticks[-1].state == "triggered"

    stage.play(scenario)


def test_what_is_wrong_with_one_schedule_harms_no_other() -> None:
    stage = Stage()

    async def scenario() -> None:
        broken: dict[str, JsonObject] = {
            "gone": {"job": "gone", "expression": "* * * * *"},
            "refused": {"job": "j", "expression": "* * * * *", "parameters": {"x": 1}},
            "nonsense": {"job": "j", "expression": "* * * *"},
            "nowhere": {"job": "j", "expression": "* * * * *", "time_zone": "Atlantis"},
            "unreadable": {"job": []},
        }
        others: list[JsonObject] = [{"identifier": name} for name in broken]
        await stage.configure({}, *others)
        updates = (Update(SCHEDULES.name, (equal("identifier", name),), {"settings": broken[name]}) for name in broken)
        await stage.storage.write(Batch(tuple(updates)))
        stage.master()
        await stage.until(12, 0, 30)
        assert await stage.told() == ["12:00 triggered"]
        assert await stage.told("gone") == await stage.told("refused") == ["12:00 refused"]
        assert (await stage.all_ticks("gone"))[0].detail == "There is no job p/gone."
        for name in ("nonsense", "nowhere", "unreadable"):
            assert await stage.told(name) == []

    stage.play(scenario)


def test_a_disabled_job_has_one_run_that_waits() -> None:
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({})
        await stage.jobs.set_enabled("p", "j", False)
        stage.master()
        await stage.until(12, 1, 30)
        assert await stage.told() == ["12:00 triggered", "12:01 busy"]

    stage.play(scenario)


def test_an_outage_of_the_database_is_outlasted() -> None:
    stage = Stage()

    async def scenario() -> None:
        await stage.configure({})
        road = Road()
        stage.master(road)
        await stage.until(11, 59, 59)
        road.is_closed = True
        await stage.until(12, 0, 20)
        road.is_closed = False
        await stage.until(12, 0, 30)
        assert await stage.told() == ["12:00 triggered"]

    stage.play(scenario)


def test_a_clock_that_was_wrong_for_a_while() -> None:
    stage = Stage()

    async def scenario() -> None:
        clock = Clock(stage.loop)
        await stage.configure({"expression": "*/10 * * * *"})
        stage.end_runs()
        stage.master(clock=clock)
        await stage.until(12, 5, 0)
        clock.shift = timedelta(hours=9)
        await stage.until(12, 5, 10)
        assert len(await stage.all_ticks()) == 55
        clock.shift = timedelta()
        await stage.until(12, 30, 10)
        told = ["12:00 triggered", "12:10 triggered", "12:20 triggered", "12:30 triggered", "21:00 triggered"]
        assert await stage.told() == told
        # A clock that is put back a little shows a moment again, and it is no tick any more.
        clock.shift = timedelta(seconds=-20)
        await stage.until(12, 31, 0)
        assert await stage.told() == told

    stage.play(scenario)


@pytest.mark.parametrize(
    ("day", "settings", "told"),
    [
        # 02:30 is there at 00:30 and again at 01:30 in UTC.
        (datetime(2026, 10, 25, 0, 25, tzinfo=UTC), {}, ["00:30"]),
        (datetime(2026, 10, 25, 0, 25, tzinfo=UTC), {"repeated_time": "twice"}, ["00:30", "01:30"]),
        # 02:30 is not there: behind 01:59 comes 03:00, which is 01:00 in UTC.
        (datetime(2026, 3, 29, 0, 25, tzinfo=UTC), {}, ["01:00"]),
        (datetime(2026, 3, 29, 0, 25, tzinfo=UTC), {"missing_time": "skip"}, []),
    ],
)
def test_days_on_which_clocks_change(day: datetime, settings: JsonObject, told: list[str]) -> None:
    stage = Stage(day)

    async def scenario() -> None:
        await stage.configure({"expression": "30 2 * * *", "time_zone": "Europe/Berlin", **settings})
        stage.end_runs()
        stage.master()
        await stage.until(1, 31, 0)
        assert await stage.told() == [f"{moment} triggered" for moment in told]

    stage.play(scenario)


@pytest.mark.parametrize("dies_behind_it", [False, True])
def test_a_master_that_dies_at_any_step_leaves_nothing_undone_and_nothing_done_twice(dies_behind_it: bool) -> None:
    dying = 0
    while True:
        dying += 1
        stage = Stage()
        road = Road(dies_at=dying, dies_behind_it=dies_behind_it)

        async def scenario(stage: Stage = stage, road: Road = road) -> None:
            # Three ticks that were missed, and those of the next minutes: every kind of step is among them.
            await stage.configure({"catch_up": "all"})
            stage.end_runs()
            await stage.until(12, 3, 10)
            first = stage.master(road)
            over = asyncio.create_task(stage.until(12, 5, 10))
            await asyncio.wait([over, asyncio.create_task(road.is_dead.wait())], return_when=asyncio.FIRST_COMPLETED)
            if road.is_dead.is_set():
                await first.die()
                stage.master()
            await over
            await stage.audit(since=START, until=at(12, 5, 0))
            assert "waiting" not in (told := " ".join(await stage.told()))
            assert "due" not in told

        stage.play(scenario)
        if not road.is_dead.is_set():
            break
    assert dying > 10


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_two_masters_at_once_that_die_and_come_back(seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    stage = Stage()

    def road() -> Road:
        longest = chance.choice([0.0, 0.01, 0.5, 4.0])
        return Road(
            lambda: chance.random() * longest,
            dies_at=chance.randint(1, 20),
            dies_behind_it=chance.random() < 0.5,
        )

    def clock() -> Clock:
        return Clock(stage.loop, shift=timedelta(seconds=chance.uniform(-2, 2)))

    async def live() -> None:
        while True:
            master: Master = stage.master(road(), clock())
            await master.road.is_dead.wait()
            await master.die()
            await asyncio.sleep(chance.choice([0.1, 5, 90]))

    async def scenario() -> None:
        catch_up = chance.choice(["none", "latest", "all"])
        await stage.configure({"catch_up": catch_up})
        longest = chance.choice([0.1, 30.0, 90.0])
        stage.end_runs(lambda: chance.random() * longest)
        lives = [asyncio.create_task(live()) for _ in range(2)]
        await stage.until(12, 20, 0)
        for life in lives:
            life.cancel()
        stage.master()
        await stage.until(12, 30, 30)
        await stage.audit(since=START, until=at(12, 30, 0))

    stage.play(scenario)
