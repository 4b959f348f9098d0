from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given

from job_orchestra.domain.definitions import Definition
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import (
    definition_from_data,
    definition_to_data,
    job_settings_from_data,
    job_settings_to_data,
    limits_from_data,
    limits_to_data,
    project_settings_from_data,
    project_settings_to_data,
    run_request_from_data,
    run_request_to_data,
    schedule_settings_from_data,
    schedule_settings_to_data,
)
from job_orchestra.domain.jobs import JobSettings, RunLimits
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.projects import ProjectSettings
from job_orchestra.domain.runs import RunRequest
from job_orchestra.domain.schedules import ScheduleSettings
from tests.domain import strategies
from tests.domain.strategies import checked

READERS: list[Callable[[object], object]] = [
    definition_from_data,
    limits_from_data,
    job_settings_from_data,
    project_settings_from_data,
    schedule_settings_from_data,
    run_request_from_data,
]


def through_json(data: JsonObject) -> JsonObject:
    written: JsonObject = json.loads(json.dumps(data))
    assert written == data
    return written


@checked
@given(strategies.definitions)
def test_definitions(definition: Definition) -> None:
    assert definition_from_data(through_json(definition_to_data(definition))) == definition


@checked
@given(strategies.limits)
def test_limits(limits: RunLimits) -> None:
    assert limits_from_data(through_json(limits_to_data(limits))) == limits


@checked
@given(strategies.job_settings)
def test_job_settings(settings: JobSettings) -> None:
    assert job_settings_from_data(through_json(job_settings_to_data(settings))) == settings


@checked
@given(strategies.project_settings)
def test_project_settings(settings: ProjectSettings) -> None:
    assert project_settings_from_data(through_json(project_settings_to_data(settings))) == settings


@checked
@given(strategies.schedule_settings)
def test_schedule_settings(settings: ScheduleSettings) -> None:
    assert schedule_settings_from_data(through_json(schedule_settings_to_data(settings))) == settings


@checked
@given(strategies.run_requests)
def test_run_requests(request: RunRequest) -> None:
    assert run_request_from_data(through_json(run_request_to_data(request))) == request


def test_requests_are_read_each_by_itself_although_much_of_them_is_the_same() -> None:
    """What they have in common is remembered: neither values that are equal in Python nor changes afterwards mix."""
    data: JsonObject = {"project": "p", "job": "j", "definition": {"type": "commands", "commands": [["true"]]}}
    first = run_request_from_data({**data, "properties": {"a": 1}, "parameters": {"x": 1}})
    second = run_request_from_data({**data, "properties": {"a": True}, "parameters": {"x": 2}})
    assert (first.properties["a"], second.properties["a"]) == (1, True)
    assert isinstance(second.properties["a"], bool)
    assert (first.parameters, second.parameters) == ({"x": 1}, {"x": 2})
    with pytest.raises(Invalid, match=r"priority: expected an integer.*; parameters: expected a table"):
        run_request_from_data({**data, "parameters": 3, "priority": "high"})


@pytest.mark.parametrize("read", READERS)
@given(data=strategies.values)
@checked
def test_anything_else_is_invalid_and_never_another_error(read: Callable[[object], object], data: JsonValue) -> None:
    try:
        read(data)
    except Invalid as error:
        assert error.mistakes


@checked
@given(strategies.run_requests, strategies.values)
def test_a_request_with_a_damaged_field_is_invalid_or_read(request: RunRequest, value: JsonValue) -> None:
    data = run_request_to_data(request)
    for name in data:
        try:
            run_request_from_data({**data, name: value})
        except Invalid as error:
            assert all(mistake.place.startswith(name) for mistake in error.mistakes)


def test_a_number_of_another_kind_is_the_same_number() -> None:
    # Databases and MessagePack may give 60 back for 60.0.
    assert limits_from_data({"teardown_timeout": 60}) == RunLimits(teardown_timeout=60.0)
    assert isinstance(limits_from_data({"teardown_timeout": 60}).teardown_timeout, float)


def test_what_is_left_out_has_its_default() -> None:
    assert limits_from_data({}) == RunLimits()


def test_mistakes_are_told_all_at_once() -> None:
    data: JsonObject = {"type": "commands", "comands": [], "setup": ["ls", []], "teardown": [["", 3]]}
    with pytest.raises(Invalid) as raised:
        definition_from_data(data)
    assert [str(mistake) for mistake in raised.value.mistakes] == [
        "comands: is unknown; did you mean commands?",
        "commands: is missing",
        "setup[0]: is a text; a command is a list of arguments, such as ['sh', '-c', '…']",
        "setup[1]: is empty; a command is a list of a program and its arguments",
        "teardown[0][1]: expected text, got 3",
        "teardown[0][0]: is empty; the first argument names the program",
    ]
