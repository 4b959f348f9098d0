"""Random expressions, and runs that they may match: few keys and values, so that they meet."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.queries.expressions import (
    And,
    Compared,
    Comparison,
    Contains,
    Exists,
    Expression,
    Literal,
    Not,
    OneOf,
    Or,
    StartsWith,
)
from job_orchestra.domain.queries.paths import OF_RUNS, Path, Step

KEYS = ("a", "b", "0", "1", "", "a.b", "$ne", "ключ", 'q"', "and", "x" * 40)
_LONG = "x" * 199
TEXTS = ("", "a", "ab", "b", "Ab", "ß", "\U0001f600", "\ufffd", _LONG, _LONG + "y", _LONG + "z", _LONG[:-1])
_BIG = 2**53
NUMBERS: tuple[int | float, ...] = (
    *(0, -0.0, 1, 1.0, 1.5, -1, -1.5, _BIG, _BIG + 1, float(_BIG), 2**63 - 1, -(2**63)),
    *(0.1, 1e300, -1e300, 5e-324),
)

keys: SearchStrategy[str] = st.sampled_from(KEYS)
texts = st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)
numbers = st.sampled_from(NUMBERS) | st.integers(-3, 3)
scalars: SearchStrategy[JsonValue] = st.none() | st.booleans() | numbers | texts
values: SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
objects: SearchStrategy[JsonObject] = st.dictionaries(keys, values, max_size=4)

steps: SearchStrategy[Step] = keys | st.integers(0, 2)
paths = st.builds(Path, st.sampled_from(OF_RUNS), st.lists(steps, min_size=1, max_size=3).map(tuple))
literals: SearchStrategy[Literal] = st.none() | st.booleans() | numbers | st.just(10**40) | texts
_ORDERED = (Comparison.LESS, Comparison.LESS_EQUAL, Comparison.GREATER, Comparison.GREATER_EQUAL)


def conditions(of: SearchStrategy[Path]) -> SearchStrategy[Expression]:
    return st.one_of(
        st.builds(Compared, of, st.just(Comparison.EQUAL), literals),
        st.builds(Compared, of, st.just(Comparison.NOT_EQUAL), literals.filter(lambda value: value is not None)),
        st.builds(Compared, of, st.sampled_from(_ORDERED), numbers | texts),
        st.builds(OneOf, of, st.lists(literals, min_size=1, max_size=4).map(tuple)),
        st.builds(Exists, of),
        st.builds(Contains, of, texts),
        st.builds(StartsWith, of, texts),
    )


def combined(inner: SearchStrategy[Expression]) -> SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


expressions = st.recursive(conditions(paths), combined, max_leaves=6)
