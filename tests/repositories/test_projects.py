from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.job_data import schedule_settings_to_data
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.storage.port import Batch, Row, Update
from job_orchestra.storage.schema import SCHEDULES
from tests.repositories.records import Records, configuration, play

_JOB: JsonObject = {"identifier": "hello", "commands": [["true"]]}
_SCHEDULE: JsonObject = {"identifier": "nightly", "job": "hello", "expression": "0 3 * * *"}
_PROJECT: JsonObject = {"identifier": "example", "jobs": [_JOB], "schedules": [_SCHEDULE]}


def test_the_configuration_becomes_records(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        (project,) = configuration(_PROJECT)
        await records.projects.apply([project])
        stored = await records.projects.get("example")
        assert (stored.settings, stored.is_active, stored.changed_at) == (project.settings, True, records.clock.date)
        job = await records.jobs.get("example", "hello")
        assert (job.settings, job.is_active, job.is_enabled) == (project.jobs[0].settings, True, True)
        schedule = await records.schedules.get("example", "nightly")
        assert (schedule.settings, schedule.is_enabled) == (project.schedules[0].settings, False)

    play(database_url, scenario)


def test_what_is_gone_becomes_inactive_and_comes_back_with_its_switches(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await records.projects.apply(configuration(_PROJECT))
        await records.jobs.set_enabled("example", "hello", False)
        await records.schedules.set_enabled("example", "nightly", True)
        await records.projects.apply([])
        assert not (await records.projects.get("example")).is_active
        assert not (await records.jobs.get("example", "hello")).is_active
        assert await records.jobs.disabled() == {("example", "hello")}
        changed: JsonObject = {**_PROJECT, "jobs": [{**_JOB, "description": "new"}]}
        records.clock.advance(60)
        await records.projects.apply(configuration(changed))
        job = await records.jobs.get("example", "hello")
        assert (job.is_active, job.is_enabled, job.settings.description) == (True, False, "new")
        assert job.changed_at == records.clock.date
        assert (await records.schedules.get("example", "nightly")).is_enabled

    play(database_url, scenario)


def test_applying_the_same_again_changes_nothing(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await records.projects.apply(configuration(_PROJECT))
        before = await records.projects.get("example")
        records.clock.advance(60)
        await records.projects.apply(configuration(_PROJECT))
        assert await records.projects.get("example") == before

    play(database_url, scenario)


def test_true_instead_of_one_is_a_change(database_url: str) -> None:
    def with_default(value: JsonValue) -> JsonObject:
        return {**_PROJECT, "jobs": [{**_JOB, "parameters": [{"identifier": "x", "default": value}]}]}

    async def scenario(records: Records) -> None:
        changes: list[tuple[JsonValue, JsonValue]] = [(1, True), ([0], [False])]
        for before, after in changes:
            await records.projects.apply(configuration(with_default(before)))
            [change] = await records.projects.plan(configuration(with_default(after)))
            assert [(field.before, field.after) for field in change.fields] == [(before, after)]
            await records.projects.apply(configuration(with_default(after)))
            job = await records.jobs.get("example", "hello")
            assert repr(job.settings.parameters[0].default) == repr(after)

    play(database_url, scenario)


def test_several_masters_may_apply_at_once(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        projects = configuration(*({**_PROJECT, "identifier": f"p{number}"} for number in range(5)))
        await asyncio.gather(*(records.projects.apply(projects) for _ in range(5)))
        assert [project.identifier for project in (await records.projects.list()).items] == [f"p{n}" for n in range(5)]

    play(database_url, scenario)


def test_of_two_configurations_that_are_applied_at_once_one_is_there_whole(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        jobs: list[JsonValue] = [{**_JOB, "identifier": f"j{number}"} for number in range(6)]
        one = configuration({"identifier": "p", "jobs": jobs[:4]})
        other = configuration({"identifier": "p", "description": "other", "jobs": jobs[2:]})
        for _ in range(5):
            await asyncio.gather(records.projects.apply(one), records.projects.apply(other))
            assert [await records.projects.differs(each) for each in (one, other)].count(False) == 1

    play(database_url, scenario)


def test_a_plan_tells_what_applying_would_do(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await records.projects.apply(configuration(_PROJECT))
        await records.trigger("hello", "example")
        assert await records.projects.plan(configuration(_PROJECT)) == []
        changed: JsonObject = {**_PROJECT, "jobs": [{**_JOB, "timeout": 5}], "schedules": []}
        job, schedule = await records.projects.plan(configuration(changed))
        assert (job.kind, job.identifier, job.fields[0].field) == ("changed", "example/hello", "limits.timeout")
        assert job.effects == ("has 1 pending run, which keeps the definition of the trigger, and will be executed",)
        assert (schedule.kind, schedule.identifier) == ("removed", "example/nightly")
        await records.projects.apply(configuration(changed))
        # What names others goes before them, and comes after.
        assert [change.thing for change in await records.projects.plan([])] == ["job", "project"]
        await records.projects.apply([])
        back = await records.projects.plan(configuration(_PROJECT))
        assert [(change.kind, change.thing) for change in back] == [
            ("back", "project"), ("back", "job"), ("back", "schedule"),
        ]  # fmt: skip
        assert not (await records.jobs.get("example", "hello")).is_active

    play(database_url, scenario)


def test_switches_of_what_is_unknown(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        for attempt in (
            records.jobs.set_enabled("p", "j", True),
            records.schedules.set_enabled("p", "s", True),
            records.projects.get("p"),
            records.jobs.get("p", "j"),
            records.schedules.get("p", "s"),
        ):
            with pytest.raises(NotFound):
                await attempt

    play(database_url, scenario)


def test_lists_come_in_pages_either_way_round(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        jobs: list[JsonObject] = [{**_JOB, "identifier": name} for name in ("a", "b", "c")]
        await records.projects.apply(configuration({"identifier": "p", "jobs": list(jobs)}))
        page = await records.jobs.list("p", limit=2)
        assert [job.identifier for job in page.items] == ["a", "b"]
        assert [job.identifier for job in (await records.jobs.list("p", cursor=page.next)).items] == ["c"]
        assert [job.identifier for job in (await records.jobs.list("p", descending=True)).items] == ["c", "b", "a"]

    play(database_url, scenario)


def test_since_when_a_schedule_ticks(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        async def since(**changes: JsonValue) -> list[datetime | None]:
            records.clock.advance(60)
            await records.projects.apply(configuration({**_PROJECT, "schedules": [{**_SCHEDULE, **changes}]}))
            schedule = await records.schedules.get("example", "nightly")
            return [schedule.timetable_since, schedule.enabled_at]

        assert await since(is_enabled_at_first=True) == [records.clock.date, records.clock.date]
        first = records.clock.date
        assert await since(description="new") == [first, first]
        assert await since(time_zone="Europe/Paris") == [records.clock.date, first]
        # What is switched on already is not switched on again.
        await records.schedules.set_enabled("example", "nightly", True)
        assert (await records.schedules.get("example", "nightly")).enabled_at == first
        await records.projects.apply([])
        assert await since(time_zone="Europe/Paris") == [records.clock.date, first]
        await records.schedules.set_enabled("example", "nightly", False)
        schedule = await records.schedules.set_enabled("example", "nightly", True)
        assert schedule.enabled_at == schedule.since == records.clock.date

    play(database_url, scenario)


def test_a_schedule_of_before_they_ticked_ticks_from_the_first_start_on(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await records.projects.apply(configuration(_PROJECT))
        settings = schedule_settings_to_data(configuration(_PROJECT)[0].schedules[0].settings)
        del settings["catch_up"], settings["catch_up_age"]
        row: Row = {"timetable_since": None, "settings": settings}
        await records.storage.write(Batch((Update(SCHEDULES.name, (), row),)))
        records.clock.advance(60)
        await records.projects.apply(configuration(_PROJECT))
        assert (await records.schedules.get("example", "nightly")).since == records.clock.date

    play(database_url, scenario)


def test_a_schedule_whose_record_cannot_be_read_is_there_all_the_same(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await records.projects.apply(configuration(_PROJECT))
        first = await records.schedules.all()
        row: Row = {"settings": {"job": "hello", "expresion": 3}}
        await records.storage.write(Batch((Update(SCHEDULES.name, (), row),)))
        broken = await records.schedules.get("example", "nightly")
        assert "expresion: is unknown; did you mean expression?" in broken.flaw
        assert [first[0].flaw, *(await records.schedules.all())] == ["", broken]
        await records.projects.apply(configuration(_PROJECT))
        assert (await records.schedules.all())[0].settings == first[0].settings

    play(database_url, scenario)
