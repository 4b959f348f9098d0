from __future__ import annotations

from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.configuration_changes import (
    Change,
    ChangeKind,
    Circumstances,
    FieldChange,
    Thing,
    effects_of,
    field_changes,
    summary,
)
from job_orchestra.domain.configuration_data import configuration_from_data, configuration_to_data
from job_orchestra.domain.json import JsonObject


def test_fields_are_compared_where_they_stand() -> None:
    before: JsonObject = {
        "limits": {"timeout": None, "grace": 10},
        "parameters": [{"identifier": "a", "default": 1}, {"identifier": "b", "default": 2}],
        "commands": [["a"], ["b"]],
        "flag": 1,
        "same": {"x": [1, {"y": None}]},
    }
    after: JsonObject = {
        "limits": {"timeout": 60, "grace": 10},
        "parameters": [{"identifier": "b", "default": 3}, {"identifier": "c"}],
        "commands": [["a"], ["c"]],
        "flag": True,
        "same": {"x": [1, {"y": None}]},
    }
    assert field_changes(before, after) == (
        FieldChange("limits.timeout", None, 60),
        FieldChange("parameters.a", {"identifier": "a", "default": 1}, None),
        FieldChange("parameters.b.default", 2, 3),
        FieldChange("parameters.c", None, {"identifier": "c"}),
        FieldChange("commands", [["a"], ["b"]], [["a"], ["c"]]),
        FieldChange("flag", 1, True),
    )


def test_effects_are_told() -> None:
    def effects(kind: ChangeKind, thing: Thing, is_enabled: bool = True, pending: int = 0) -> tuple[str, ...]:
        before: JsonObject = {"expression": "0 3 * * *"}
        after: JsonObject = {"expression": "0 4 * * *"}
        return effects_of(kind, thing, before, after, Circumstances(is_enabled, pending))

    assert effects(ChangeKind.ADDED, Thing.SCHEDULE) == ("ticks from now on",)
    assert effects(ChangeKind.BACK, Thing.SCHEDULE, is_enabled=False) == ("is disabled until somebody enables it",)
    assert effects(ChangeKind.CHANGED, Thing.SCHEDULE) == ("ticks at other times from now on",)
    assert effects(ChangeKind.REMOVED, Thing.SCHEDULE) == ("ticks no longer; its history stays readable",)
    assert effects(ChangeKind.ADDED, Thing.JOB) == ()
    assert effects(ChangeKind.BACK, Thing.JOB, is_enabled=False) == ("is disabled, as it was",)
    assert effects(ChangeKind.CHANGED, Thing.JOB, pending=1) == (
        "has 1 pending run, which keeps the definition of the trigger, and will be executed",
    )
    assert len(effects(ChangeKind.REMOVED, Thing.JOB, pending=2)) == 2


def test_a_summary_names_a_few() -> None:
    changes = [Change(ChangeKind.ADDED, Thing.JOB, f"p/{number}") for number in range(7)]
    assert summary(changes[:1]) == "job p/0 added"
    assert summary(changes).endswith("job p/4 added and 2 more")
    assert summary([]) == "nothing changes"


def test_a_configuration_goes_from_process_to_process() -> None:
    projects = parse_projects(
        [
            {
                "identifier": "p",
                "retention": {"days": 3},
                "jobs": [
                    {"identifier": "j", "commands": [["true"]], "parameters": [{"identifier": "a", "pattern": "x+"}]},
                    {"identifier": "l", "elements": [{"identifier": "e", "job": "j", "parameters": {"a": "x"}}]},
                ],
                "schedules": [
                    {"identifier": "s", "job": "j", "expression": "0 3 * * *", "parameters": {"a": "xx"}},
                ],
            },
            {"identifier": "empty"},
        ]
    )
    assert configuration_from_data(configuration_to_data(projects)) == projects
