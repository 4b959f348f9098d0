from __future__ import annotations

import pytest

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.json import JsonValue
from job_orchestra.protocol.resources.projects import ParameterAnswer
from job_orchestra.website.forms import Form
from job_orchestra.website.trigger_form import FieldKind, fields, other_mistakes, values


def parameter(
    default: JsonValue = None, *, choices: list[JsonValue] | None = None, is_required: bool = False
) -> ParameterAnswer:
    return ParameterAnswer("p", is_required, default, choices or [], "")


@pytest.mark.parametrize(
    "default",
    ["world", "", "two\nlines", 5, 1.5, True, False, ["a", 1], {"a": None}, "12", "true", 'with "quotes" & <tags>'],
)
def test_an_untouched_form_sends_the_defaults(default: JsonValue) -> None:
    one = parameter(default)
    [field] = fields([one])
    assert values([one], Form(((field.name, field.value),))) == {"p": default}


def test_choices_keep_their_types() -> None:
    one = parameter(1, choices=[1, "1", True, None])
    [field] = fields([one])
    assert field.kind is FieldKind.CHOICE
    for choice, wanted in zip(field.choices, one.choices, strict=True):
        got = values([one], Form(((field.name, choice.value),)))["p"]
        assert (got, type(got)) == (wanted, type(wanted))
    with pytest.raises(Invalid, match=r"parameters\.p: is none of the choices"):
        values([one], Form(((field.name, "2"),)))


def test_a_text_may_be_emptied_but_what_is_not_filled_in_is_not_given() -> None:
    assert values([parameter("world")], Form((("parameter-p", ""),))) == {"p": ""}
    for one in (
        parameter(),
        parameter(5),
        parameter(is_required=True),
        parameter("a", choices=["a"], is_required=True),
    ):
        form = Form((("parameter-p", ""),)) if not isinstance(one.default, str) else Form()
        assert values([one], form) == {}


@pytest.mark.parametrize(
    ("kind", "field_kind", "typed", "given"),
    [
        ("text", FieldKind.LINE, "3", "3"),
        ("integer", FieldKind.NUMBER, "3", "3"),
        ("boolean", FieldKind.CHOICE, "true", True),
        ("list", FieldKind.JSON, "[1]", [1]),
        ("json", FieldKind.JSON, "null", None),
    ],
)
def test_the_type_says_what_a_field_is(kind: str, field_kind: FieldKind, typed: str, given: JsonValue) -> None:
    one = ParameterAnswer("p", True, None, [], "", type=kind, pattern="3|4" if kind == "text" else None)
    [field] = fields([one])
    assert (field.kind, field.pattern) == (field_kind, one.pattern or "")
    assert values([one], Form(((field.name, typed),))) == {"p": given}
    assert values([one], Form(((field.name, ""),))) == {}


@pytest.mark.parametrize("text", ["five", "[1", "NaN", "1e", "[" * 100_000])
def test_what_is_no_json_is_refused_and_shown_again(text: str) -> None:
    one = parameter(5)
    form = Form((("parameter-p", text),))
    with pytest.raises(Invalid) as caught:
        values([one], form)
    [field] = fields([one], form, caught.value)
    assert field.value == text
    assert "must be JSON" in field.mistake
    assert other_mistakes([one], caught.value) == []


def test_all_mistakes_are_told_in_one_round() -> None:
    """What cannot be sent, and what the service would refuse of the rest."""
    parameters = [
        ParameterAnswer("list", True, None, [], "", type="list"),
        ParameterAnswer("count", False, 1, [], "", type="integer"),
        ParameterAnswer("version", True, None, [], "", type="text", pattern=r"\d+"),
        ParameterAnswer("missing", True, None, [], ""),
        ParameterAnswer("new", False, None, [], "", type="a type of later"),
    ]
    form = Form(
        (("parameter-list", "[1"), ("parameter-count", "x"), ("parameter-version", "a"), ("parameter-new", "y"))
    )
    with pytest.raises(Invalid) as caught:
        values(parameters, form)
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        'parameters.list: must be JSON: a number, true, "text", [1, 2], …',
        "parameters.count: expected an integer, got 'x'",
        "parameters.version: 'a' does not match the pattern \\d+",
        "parameters.missing: is missing; it has no default",
    ]


def test_mistakes_of_no_field_are_shown_above_the_form() -> None:
    error = Invalid([Mistake("parameters.p", "is wrong"), Mistake("parameters.q", "is unknown")])
    assert other_mistakes([parameter()], error) == ["parameters.q: is unknown"]
