"""Which runs an expression means; the keys of values never lose one of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.queries.evaluation import Asked, matches
from job_orchestra.domain.queries.expressions import Expression
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.domain.queries.paths import Missing
from job_orchestra.domain.queries.value_keys import LONGEST_KEY, hints_of, key_of
from tests.domain.query_strategies import expressions, numbers, objects, texts, values
from tests.domain.strategies import checked

_RESULTS: JsonObject = {
    "zero": 0, "one": 1, "half": 0.5, "big": 2**53 + 1, "text": "Straße", "yes": True, "nothing": None,
    "list": [10, {"x": "y"}], "object": {"0": "zero", "a.b": {"": 1}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        ("results.one = 1.0", True), ("results.one = true", False), ("results.yes = 1", False),
        ("results.yes = true", True), ("results.yes != false", True), ("results.yes != 'x'", False),
        ("results.zero = false", False), ("results.zero < 0.1", True), ("results.half >= 0.5", True),
        (f"results.big = {2**53 + 1}", True), (f"results.big = {2**53}", False), (f"results.big > {2.0**53}", True),
        (f"results.big < {10**30}", True), (f"results.big != {10**30}", True),
        ("results.text = 'Straße'", True), ("results.text = 'STRASSE'", False), ("results.text > 'S'", True),
        ("results.text > 'straße'", False), ("results.text contains 'raß'", True), ("results.text contains ''", True),
        ("results.text starts with 'Str'", True), ("results.text starts with 's'", False),
        ("results.text != 1", False), ("not results.text = 1", True), ("results.one contains '1'", False),
        ("results.nothing = null", True), ("results.nothing exists", True), ("results.nothing = 0", False),
        ("results.gone = null", False), ("results.gone exists", False), ("results.gone not exists", True),
        ("results.gone != 1", False), ("not results.gone = 1", True), ("results.one.deeper exists", False),
        ("results.list.0 = 10", True), ("results.list.1.x = 'y'", True), ("results.list.2 exists", False),
        ('results.list."0" exists', False), ("results.object.0 = 'zero'", True), ('results.object."0" = "zero"', True),
        ('results.object."a.b"."" = 1', True), ("results.list = 10", False), ("results.list exists", True),
        ("results.one in (0, '1', 1)", True), ("results.one in ('1', true)", False),
        ("parameters.one = 1", False), ("parameters.p = 'q'", True),
        ("results.one = 1 and results.half < 1", True), ("results.one = 2 or results.half < 1", True),
        ("results.one = 2 and results.half < 1", False), ("not (results.one = 1 or results.gone exists)", False),
    ],
)  # fmt: skip
def test_examples(text: str, is_meant: bool) -> None:
    assert matches(parse_expression(text), Asked({"p": "q"}, _RESULTS)) is is_meant


@checked
@given(expressions, objects, objects)
def test_a_run_is_meant_exactly_if_the_words_say_so(
    expression: Expression, parameters: JsonObject, results: JsonObject
) -> None:
    assert matches(expression, Asked(parameters, results)) is _is_meant(expression, parameters, results)


@checked
@given(expressions, objects, objects)
def test_a_run_that_matches_has_each_of_the_keys(
    expression: Expression, parameters: JsonObject, results: JsonObject
) -> None:
    asked = Asked(parameters, results)
    if matches(expression, asked):
        for hint in hints_of(expression):
            value = asked.at(hint.path)
            assert not isinstance(value, Missing)
            assert key_of(value) in (hint.keys or hint.range)


@checked
@given(numbers | st.floats(allow_nan=False), numbers | st.floats(allow_nan=False))
def test_keys_of_numbers_are_in_their_order(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert key_of(low) <= key_of(high)
    assert key_of(low).encode() <= key_of(high).encode()
    assert low != high or key_of(low) == key_of(high)


@checked
@given(texts, texts)
def test_keys_of_texts_are_in_their_order(one: str, other: str) -> None:
    low, high = sorted((one, other))
    assert key_of(low) <= key_of(high)
    assert key_of(low).encode() <= key_of(high).encode()


@checked
@given(values)
def test_keys_are_short(value: JsonValue) -> None:
    assert 1 <= len(key_of(value)) <= LONGEST_KEY


# ---------- the same once more, by translation into Python that is evaluated: slow, and written in another way


def _is_meant(expression: Expression, parameters: JsonObject, results: JsonObject) -> bool:
    roots = {"parameters": parameters, "results": results}
    return bool(eval(_python(expression), {"get": _get, "compare": _compare, "roots": roots}))


def _python(expression: Any) -> str:
    kind = type(expression).__name__
    if kind in ("And", "Or"):
        return "(" + f" {kind.lower()} ".join(_python(part) for part in expression.parts) + ")"
    if kind == "Not":
        return f"(not {_python(expression.inner)})"
    found = f"get(roots[{expression.path.source.value!r}], {expression.path.steps!r})"
    if kind == "Compared":
        return f"any(compare(one, {expression.comparison.value!r}, {expression.value!r}) for one in {found})"
    if kind == "OneOf":
        return f"any(compare(one, '=', other) for one in {found} for other in {list(expression.values)!r})"
    if kind == "Exists":
        return f"len({found}) == 1"
    if kind == "Contains":
        return f"any(type(one) is str and one.count({expression.text!r}) for one in {found})"
    return f"any(type(one) is str and one[:{len(expression.text)}] == {expression.text!r} for one in {found})"


def _get(root: Any, steps: tuple[str | int, ...]) -> list[Any]:
    """The value, if there is one."""
    for step in steps:
        place = step if root.__class__ is list and step.__class__ is int else str(step)
        try:
            root = root[place]
        except (KeyError, IndexError, TypeError):
            return []
    return [root]


def _compare(value: Any, sign: str, literal: Any) -> bool:
    names = {"int": "number", "float": "number", "str": "text", "bool": "boolean", "NoneType": "null"}
    if names.get(value.__class__.__name__) != names[literal.__class__.__name__]:
        return False
    if value is None:
        return sign == "="
    order = (value > literal) - (value < literal)
    return order in {"=": [0], "!=": [-1, 1], "<": [-1], "<=": [-1, 0], ">": [1], ">=": [0, 1]}[sign]
