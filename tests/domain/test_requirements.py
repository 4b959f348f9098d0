from __future__ import annotations

import pytest
from hypothesis import given

from job_orchestra import Job, Project
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.requirements import describe, is_met, unmet
from tests.domain.strategies import checked, objects, values


@pytest.mark.parametrize(
    ("wanted", "has", "expected"),
    [
        ("linux", "linux", True),
        ("linux", "Linux", False),
        (["linux", "windows"], "windows", True),
        ("gpu", ["cpu", "gpu"], True),
        (["a", "b"], ["b", "c"], True),
        (["a"], ["b"], False),
        (1, 1, True),
        (1, 1.0, True),
        (1, "1", False),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (0, False, False),
        (None, None, True),
        (None, False, False),
        ([], "anything", False),
        ("anything", [], False),
        ({"one_of": [{"a": 1}]}, {"a": 1}, True),
    ],
)
def test_matching_of_values(wanted: JsonValue, has: JsonValue, expected: bool) -> None:
    assert is_met("it", wanted, {"it": has}) is expected


@pytest.mark.parametrize(
    ("wanted", "has", "expected"),
    [
        ({"at_least": 16}, 16, True),
        ({"at_least": 16}, 15.5, False),
        ({"more_than": 16}, 16, False),
        ({"at_most": 16}, 16.0, True),
        ({"less_than": 16}, 3, True),
        ({"at_least": "3.9"}, "3.11.2", True),
        ({"at_least": "3.11", "less_than": "4"}, "3.11.0", True),
        ({"at_least": "3.11", "less_than": "4"}, "4.0", False),
        ({"less_than": "3.12"}, "3.12.0rc1", True),
        ({"at_least": "3.11"}, ["2.7", "3.12"], True),
        ({"at_least": "3.11", "less_than": "3.13"}, ["3.9", "3.14"], False),  # each is outside
        ({"at_least": "3.11", "less_than": "3.13"}, ["3.9", "3.12"], True),
        ({"at_least": 3}, "3.11", False),
        ({"at_least": "3.1"}, 3.11, False),
        ({"at_least": 0}, True, False),
        ({"at_least": 0}, None, False),
        ({"at_least": "1"}, "linux", False),
        ({"present": True}, False, True),
        ({"present": False}, False, False),
        ({"one_of": ["a", "b"]}, "b", True),
        ({"none_of": ["a", "b"]}, "b", False),
        ({"none_of": ["a", "b"]}, ["c", "d"], True),
        ({"none_of": ["a", "b"]}, ["c", "a"], False),
        ({"is_about": 3}, 3, False),
    ],
)
def test_conditions(wanted: JsonValue, has: JsonValue, expected: bool) -> None:
    assert is_met("it", wanted, {"it": has}) is expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("linux", False),
        ({"at_least": 1}, False),
        ({"present": True}, False),
        ({"present": False}, True),
        ({"none_of": ["a"]}, True),
        ({"one_of": [None]}, False),
    ],
)
def test_conditions_on_what_a_worker_does_not_have(wanted: JsonValue, expected: bool) -> None:
    assert is_met("it", wanted, {}) is expected


@pytest.mark.parametrize(
    ("wanted", "properties", "sentences"),
    [
        ({"at_least": "3.11"}, {"python": "3.9.2"}, ["needs python ≥ 3.11, has 3.9.2"]),
        ({"at_least": "3.11"}, {"python": 3.9}, ["needs python ≥ 3.11, has 3.9, which is no version (a text)"]),
        ({"less_than": 4}, {"python": "3.9"}, ["needs python < 4, has 3.9, which is no number"]),
        ({"more_than": "4"}, {"python": ["3", "x"]}, ["needs python > 4, has 3, x"]),
        ({"present": True}, {}, ["needs python, has no python"]),
        ({"present": False}, {"python": "3"}, ["needs no python, has 3"]),
        ({"none_of": ["2"]}, {"python": "2"}, ["needs python ≠ 2, has 2"]),
        ({"none_of": ["2", "3"]}, {"python": "2"}, ["needs python not in 2, 3, has 2"]),
        (
            {"at_least": "3", "less_than": "3.12"},
            {},
            ["needs python ≥ 3, has no python", "needs python < 3.12, has no python"],
        ),
        (
            {"at_least": "3.11", "less_than": "3.13"},
            {"python": ["3.9", "3.14"]},
            ["needs python ≥ 3.11 and < 3.13, has 3.9, 3.14, of which none is within"],
        ),
        # What people would write in the same way is told apart.
        (1, {"python": "1"}, ['needs python = 1, has "1"']),
        ("true", {"python": True}, ['needs python = "true", has true']),
        ("null", {"python": [None, "x"]}, ['needs python = "null", has null, "x"']),
        ("", {"python": []}, ['needs python = "", has []']),
        ("a", {"python": {"x": 1}}, ['needs python = a, has {"x": 1}']),
        (
            {"is_about": 3},
            {"python": 3},
            ["needs python is_about 3, which this version does not know, has 3"],
        ),
    ],
)
def test_what_is_not_met_is_said_in_words(wanted: JsonValue, properties: JsonObject, sentences: list[str]) -> None:
    assert list(unmet("python", wanted, properties)) == sentences


def test_a_requirement_is_described() -> None:
    assert describe("python", {"at_least": "3.11", "less_than": "4"}) == "python ≥ 3.11 and < 4"
    assert describe("gpu", {"present": True}) == "gpu"
    assert describe("os", ["linux", "bsd"]) == "os in linux, bsd"


@checked
@given(values, objects)
def test_whatever_is_stored_is_answered(wanted: JsonValue, properties: JsonObject) -> None:
    for name in (*properties, "another"):
        assert is_met(name, wanted, properties) is not bool(list(unmet(name, wanted, properties)))


@pytest.mark.parametrize(
    ("wanted", "mistakes"),
    [
        ({"at_least": "3.11"}, []),
        ({"at_least": 3, "at_most": 3.0, "none_of": [7]}, []),
        ([], [": is an empty list, which no worker could ever match"]),
        (
            {},
            [
                ": is an empty table; conditions are one_of, none_of, at_least, more_than, at_most, less_than, present",
            ],
        ),
        ({"atleast": 3}, [".atleast: is unknown; did you mean at_least?"]),
        ({"one_of": []}, [".one_of: is an empty list; it has at least one value"]),
        ({"none_of": "a"}, [".none_of: expected a list of values, got 'a'"]),
        ({"present": 1}, [".present: expected true or false, got 1"]),
        ({"present": False, "at_least": 1}, [": asks for a worker without it, and for at_least"]),
        (
            {"at_least": "new"},
            [".at_least: expected a number, or a version as a text such as '3.11', got 'new'"],
        ),
        ({"at_most": True}, [".at_most: expected a number, or a version as a text such as '3.11', got True"]),
        ({"at_least": "3", "less_than": 4}, [": compares with a number and with a version: at_least, less_than"]),
        (
            {"at_least": "3.10", "less_than": "3.9"},
            [": at_least and less_than leave no value that a worker could have"],
        ),
        ({"one_of": ["a", 1], "none_of": [1.0, "a", "b"]}, [".none_of: excludes all that one_of allows"]),
        ({"one_of": ["a", "b"], "none_of": ["a"]}, []),
        (
            [{"at_least": 1}],
            ["[0]: is a table of conditions, which in a list would be a value that no worker has"],
        ),
        (
            {"one_of": ["a", {"at_least": 1}]},
            [".one_of[1]: is a table of conditions, which in a list would be a value that no worker has"],
        ),
        ({"more_than": 3, "at_most": 3}, [": more_than and at_most leave no value that a worker could have"]),
    ],
)
def test_mistakes_are_told_when_the_configuration_is_loaded(wanted: object, mistakes: list[str]) -> None:
    projects = [Project("p", jobs=[Job("j", commands=[["true"]], properties={"it": wanted})])]
    found: list[str] = []
    try:
        parse_projects(projects)
    except Invalid as error:
        found = [f"{mistake.place}: {mistake.message}" for mistake in error.mistakes]
    assert found == [f"project p, job j, properties.it{mistake}" for mistake in mistakes]
