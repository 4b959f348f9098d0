from __future__ import annotations

import pytest

from job_orchestra.domain.checking import read_all
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.jobs import ParameterDefinition, ParameterType
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.parameters import MOST_BYTES, read_parameter_values
from job_orchestra.domain.places import Place

DEFINITIONS = (
    ParameterDefinition("name"),
    ParameterDefinition("count", is_required=False, default=3),
    ParameterDefinition("level", is_required=False, default="low", choices=("low", "high", 1, True, None)),
)


def check_parameters(definitions: tuple[ParameterDefinition, ...], given: JsonObject) -> JsonObject:
    place = Place().field("parameters")
    return read_all(given, lambda reader: read_parameter_values(reader, definitions), place)


def mistakes_of(given: JsonObject) -> list[str]:
    with pytest.raises(Invalid) as raised:
        check_parameters(DEFINITIONS, given)
    return [str(mistake) for mistake in raised.value.mistakes]


def test_defaults_are_filled_in() -> None:
    assert check_parameters(DEFINITIONS, {"name": "x"}) == {"name": "x", "count": 3, "level": "low"}


def test_what_is_given_is_kept() -> None:
    given: JsonObject = {"name": {"deep": [1]}, "count": None, "level": "high"}
    assert check_parameters(DEFINITIONS, given) == given


def test_text_that_looks_like_something_else_stays_text() -> None:
    values = check_parameters(DEFINITIONS, {"name": "2026-11-23", "count": "3"})
    assert values["name"] == "2026-11-23"
    assert values["count"] == "3"


def test_all_mistakes_are_told() -> None:
    assert mistakes_of({"nam": "x", "other": 1, "level": "hihg"}) == [
        "parameters.nam: is no parameter of the job; did you mean name?",
        "parameters.other: is no parameter of the job; the job has name, count, level",
        "parameters.name: is missing; it has no default",
        "parameters.level: expected one of low, high, 1, true, null, got 'hihg'",
    ]


@pytest.mark.parametrize(
    ("given", "chosen"), [("1", 1), ("true", True), ("null", None), (1, 1), (True, True), ("low", "low")]
)
def test_forms_choose_by_text(given: JsonValue, chosen: JsonValue) -> None:
    value = check_parameters(DEFINITIONS, {"name": "", "level": given})["level"]
    assert value == chosen
    assert type(value) is type(chosen)


@pytest.mark.parametrize("value", [2, False, "True", "LOW", []])
def test_what_is_no_choice_is_refused(value: JsonValue) -> None:
    assert len(mistakes_of({"name": "", "level": value})) == 1


TYPED = (
    ParameterDefinition("text", type=ParameterType.TEXT, pattern=r"v\d+", is_required=False, default="v1"),
    ParameterDefinition("integer", type=ParameterType.INTEGER, is_required=False, default=1),
    ParameterDefinition("number", type=ParameterType.NUMBER, is_required=False, default=1.5),
    ParameterDefinition("boolean", type=ParameterType.BOOLEAN, is_required=False, default=False),
    ParameterDefinition("list", type=ParameterType.LIST, is_required=False, default=[]),
    ParameterDefinition("json", type=ParameterType.JSON, is_required=False, default=None),
    ParameterDefinition("size", type=ParameterType.INTEGER, is_required=False, default=1, choices=(1, 2)),
)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("text", "v23", "v23"),
        ("integer", "-3", -3),
        ("integer", 3, 3),
        ("number", "3", 3),
        ("number", "1e3", 1000.0),
        ("boolean", "true", True),
        ("list", '["a", 1]', ["a", 1]),
        ("json", "[1", "[1"),
        ("json", {"a": [None]}, {"a": [None]}),
        ("size", "2", 2),
    ],
)
def test_text_becomes_what_the_type_says(name: str, given: JsonValue, value: JsonValue) -> None:
    found = check_parameters(TYPED, {name: given})[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "given", "mistake"),
    [
        ("text", 3, "expected text, got 3"),
        ("text", "v", r"'v' does not match the pattern v\d+"),
        ("text", "v1\n", r"'v1\n' does not match the pattern v\d+"),
        ("text", "v" + "1" * 1000, "has 1001 characters; where a pattern is to be matched, there may be 1000"),
        ("integer", "3.0", "expected an integer, got '3.0'"),
        ("integer", True, "expected an integer, got True"),
        ("integer", "1" * 30, f"expected an integer, got '{'1' * 30}'"),
        ("number", "NaN", "expected a number, got 'NaN'"),
        ("number", "1e999", "expected a number, got '1e999'"),
        ("boolean", "yes", "expected true or false, got 'yes'"),
        ("boolean", 1, "expected true or false, got 1"),
        ("list", "[" * 50_000, "expected a list, got '" + "[" * 58 + "…"),
        ("size", "3", "expected one of 1, 2, got 3"),
    ],
)
def test_what_is_not_of_the_type_is_refused(name: str, given: JsonValue, mistake: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_parameters(TYPED, {name: given})
    assert [str(one) for one in caught.value.mistakes] == [f"parameters.{name}: {mistake}"]


def test_values_that_could_not_be_stored_or_sent_are_refused_alone() -> None:
    assert mistakes_of({"name": "a\0b"}) == ["parameters.name: 'a\\x00b' contains a NUL character"]
    assert mistakes_of({"name": "\ud800"})
    assert mistakes_of({"name": 1 << 70})


def test_a_job_without_parameters_says_so() -> None:
    with pytest.raises(Invalid, match=r"parameters\.x: is no parameter of the job; the job has none"):
        check_parameters((), {"x": 1})


def test_parameters_have_a_size_together() -> None:
    around = len('{"name":"","count":3,"level":"low"}')
    fitting = "é" * ((MOST_BYTES - around) // 2)
    assert check_parameters(DEFINITIONS, {"name": fitting})["name"] == fitting
    sentence = "and may have 65536 together; large data belongs in a file"
    assert mistakes_of({"name": "x" * 300_000}) == [f"parameters: have {300_000 + around} bytes as JSON, {sentence}"]
    assert mistakes_of({"name": fitting + "é"}) == [f"parameters: have {MOST_BYTES + 1} bytes as JSON, {sentence}"]
