from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_orchestra.domain.command_checks import flaw_of_format
from job_orchestra.domain.formatting import FormatError, format_command
from job_orchestra.domain.json import JsonObject, JsonValue
from tests.domain.strategies import checked, texts

VALUES: JsonObject = {
    "project": "example",
    "job": "hello",
    "run": "01",
    "attempt": 1,
    "result_file_path": "/tmp/results.json",
    "parameters": {"name": "you", "a.b": "dotted", "count": 3, "ratio": 0.5, "flag": True, "none": None, "7": "seven"},
    "environment": {"HOME": "/home/x"},
    "results": {"tests": {"failed": 2}, "list": ["first", {"deep": "second"}]},
}


def formatted(text: str) -> str:
    return format_command((text,), VALUES)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{project}/{job}/{run}/{attempt}", "example/hello/01/1"),
        ("{parameters[name]}", "you"),
        ("{parameters[name]!r}", "'you'"),
        ("{parameters[name]:>5}", "  you"),
        ("{parameters[name]:>{parameters[count]}}", "you"),
        ("{parameters[a.b]}", "dotted"),
        ("{parameters[7]}", "seven"),
        ("{parameters[ratio]:.2f}", "0.50"),
        ("{parameters[flag]}", "True"),
        ("{results[tests][failed]}", "2"),
        ("{results[list][1][deep]}", "second"),
        ("{{literal}}", "{literal}"),
        ("${{HOME}} {environment[HOME]}", "${HOME} /home/x"),
    ],
)
def test_fields_are_filled(text: str, expected: str) -> None:
    assert formatted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{parameters.__class__}",
        "{parameters[name].__class__}",
        "{parameters[name][__class__]}",
        "{project.__class__.__mro__[1].__subclasses__}",
        "{attempt.real}",
        "{results[list].append}",
        "{0}",
        "{}",
        "{0.__class__}",
        "{self}",
        "{parameters[name]!x}",
        "{parameters[name]",
        "parameters[name]}",
        "{parameters[name]]}",
        "{parameters[name}",
        "{parameters[]}",
        "{parameters[unknown]}",
        "{results[list][9]}",
        "{results[list][-1]}",
        "{results[list][²]}",
        "{results[list][99999999999999999999999]}",
        "{results[tests][failed][more]}",
        "{parameters[count]:9999999999}",
        "{parameters[name]:99999}",
        "{parameters[ratio]:.99999f}",
        "{parameters[count]:{parameters[count]:{parameters[count]}}}",
        "{parameters[name]:d}",
        "{parameters[none]:>5}",
        "\0",
        "\ud800",
    ],
)
def test_what_cannot_be_filled_is_a_format_error(text: str) -> None:
    with pytest.raises(FormatError, match="argument 0"):
        formatted(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{parameters[x]:c}", 10**10),
        ("{parameters[x]:c}", -1),
        ("{parameters[x]:c}", 0),
        ("{parameters[x]:c}", 0xD800),
        ("{parameters[x]:e}", 10**400),
        ("{parameters[x]}", 10**5000),
        ("{parameters[x]}", "with \0"),
        ("{parameters[x]}", "half \udfff"),
    ],
    ids=["large", "negative", "nul", "surrogate", "exponent", "digits", "with nul", "half"],
)
def test_values_that_no_program_can_be_given(text: str, value: JsonValue) -> None:
    with pytest.raises(FormatError):
        format_command((text,), {"parameters": {"x": value}})


def test_a_width_may_be_nested_but_not_huge() -> None:
    wide: JsonObject = {"parameters": {"x": "y", "width": 99999}}
    with pytest.raises(FormatError, match="too many characters"):
        format_command(("{parameters[x]:>{parameters[width]}}",), wide)


def test_a_value_is_never_a_format_string_itself() -> None:
    values: JsonObject = {"parameters": {"x": "{run.__class__}"}}
    assert format_command(("{parameters[x]}",), values) == ("{run.__class__}",)


def test_the_error_names_the_argument_and_what_there_is() -> None:
    with pytest.raises(FormatError, match=r"argument 1 .*parameters has no 'nam'; it has 7, a\.b"):
        format_command(("echo", "{parameters[nam]}"), VALUES)


@checked
@given(st.lists(st.sampled_from(["{", "}", "[", "]", ":", "!", ".", "parameters", "name", "9", "r", " "])))
def test_any_string_is_formatted_or_a_format_error(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        assert isinstance(formatted(text), str)
    except FormatError as error:
        assert "argument 0" in str(error)


@checked
@given(st.lists(st.sampled_from(["{", "}", "[", "]", ":", "!", ".", "parameters", "project", "name", "x", "r"])))
def test_what_passes_the_check_fails_only_by_its_values(parts: list[str]) -> None:
    """A string without a flaw is filled, but for values that are not of the form that it wants."""
    text = "".join(parts)
    if flaw_of_format(text, ["name"]):
        return
    try:
        format_command((text,), {"project": "p", "parameters": {"name": "n"}})
    except FormatError as error:
        assert "attribute" not in str(error)
        assert "unknown field" not in str(error)
        assert "Single" not in str(error)


@checked
@given(texts)
def test_doubled_braces_keep_any_text(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert formatted(doubled) == text
    assert not flaw_of_format(doubled, [])
