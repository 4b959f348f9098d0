from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_orchestra.domain.json import JsonValue, is_longer, is_same

_TEXTS = st.text("abc é", max_size=5)
_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.integers(0, 9) | _TEXTS,
    lambda parts: st.lists(parts, min_size=1, max_size=5) | st.dictionaries(_TEXTS, parts, min_size=1, max_size=5),
)
"""Of which every part takes what is counted."""


@given(_VALUES)
def test_length_is_that_of_compact_json(value: JsonValue) -> None:
    length = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    assert is_longer(value, length - 1)
    assert not is_longer(value, length)


@pytest.mark.parametrize("repeated", [1, 3, 10**6])
def test_what_has_no_end_is_longer_than_anything(repeated: int) -> None:
    circle: list[JsonValue] = []
    circle.extend([circle] * repeated)
    assert is_longer({"a": circle}, 100_000)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_true_is_not_one_however_deep(depth: int) -> None:
    def inside(value: JsonValue) -> JsonValue:
        for _ in range(depth):
            value = {"a": [0, value]}
        return value

    assert not is_same(inside(True), inside(1))
    assert not is_same(inside(0), inside(False))
    assert not is_same(inside([]), inside({}))
    assert not is_same(inside([1]), inside([1, 1]))
    assert not is_same(inside({"x": None}), inside({}))
    assert is_same(inside(True), inside(True))
    assert is_same(inside(1), inside(1.0))
    assert is_same(inside({"x": 1, "y": None}), inside({"y": None, "x": 1}))
