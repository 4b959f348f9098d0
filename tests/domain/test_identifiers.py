from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_orchestra.domain.identifiers import (
    NAME,
    RUN_IDENTIFIER,
    USER_NAME,
    first_run_identifier,
    new_run_identifier,
    run_identifier_milliseconds,
)
from tests.domain.strategies import checked

milliseconds = st.integers(0, (1 << 50) - 2)
random_bits = st.integers(0, (1 << 40) - 1)


@checked
@given(milliseconds, random_bits, milliseconds, random_bits)
def test_identifiers_of_runs_sort_by_time(one: int, one_bits: int, other: int, other_bits: int) -> None:
    first, second = new_run_identifier(one, one_bits), new_run_identifier(other, other_bits)
    assert (first < second) == ((one, one_bits) < (other, other_bits))
    assert (first.encode() < second.encode()) == (first < second)


@checked
@given(milliseconds, random_bits)
def test_the_time_can_be_read_from_an_identifier(time: int, bits: int) -> None:
    identifier = new_run_identifier(time, bits)
    assert RUN_IDENTIFIER.fullmatch(identifier)
    assert run_identifier_milliseconds(identifier) == time
    assert first_run_identifier(time) <= identifier < first_run_identifier(time + 1)


@pytest.mark.parametrize("name", ["a", "A-b.c_d", "9", "a" * 64])
def test_names(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", ".", "a b", "a/b", "..", "a" * 65, "é", "a\n", "a\0b", "٣", "../etc/passwd"]
)
def test_no_names(name: str) -> None:
    assert not NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["abc", "a.b-c_d", "a" * 32])
def test_names_of_users(name: str) -> None:
    assert USER_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "ab", "a" * 33, "_ab", "ab:cd", "ab\n"])
def test_no_names_of_users(name: str) -> None:
    assert not USER_NAME.fullmatch(name)


@pytest.mark.parametrize("identifier", ["", "a" * 17, "a" * 19, "A" * 18, "il" * 9, "../" * 6])
def test_no_identifiers_of_runs(identifier: str) -> None:
    assert not RUN_IDENTIFIER.fullmatch(identifier)
