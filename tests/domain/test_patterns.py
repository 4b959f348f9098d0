"""Patterns, against Python's own regular expressions where these have the same to say."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_orchestra.domain.patterns import LONGEST_TEXT, Pattern

_ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\d", r"\W", r"\.", "[a-c0-9_]", "é", r"[\w-]"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quantifiers = st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "{0}"])
    return st.one_of(
        st.builds("({}){}".format, inner, quantifiers),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    )


@given(st.recursive(_ATOMS, _grown, max_leaves=6), st.lists(st.text("abc0._é- \n", max_size=8), max_size=10))
def test_it_matches_what_regular_expressions_match(pattern: str, texts: list[str]) -> None:
    ours, theirs = Pattern(pattern), re.compile(pattern, re.ASCII)
    for text in texts:
        assert ours.matches(text) == bool(theirs.fullmatch(text)), (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"v\d+(\.\d+){1,2}", ["v1.2", "v10.2.33"], ["v1", "1.2", "v1.2.3.4", "v1.2\n"]),
        (r"^release/[\w.-]+$", ["release/1.x"], ["release/", "a release/1", "release/ü"]),
        ("|main", ["", "main"], ["mai"]),
        ("[]x]*", ["]x]"], ["[x"]),
        ("[0-9a-f]{40}", ["0" * 40], ["0" * 39, "0" * 41, "g" * 40]),
    ],
)
def test_examples(pattern: str, right: list[str], wrong: list[str]) -> None:
    assert [text for text in (*right, *wrong) if Pattern(pattern).matches(text)] == right


@pytest.mark.parametrize(
    ("pattern", "flaw"),
    [
        ("(a", "has, at character 3, a ( that is not closed"),
        ("a)", "has, at character 2, a ) that closes nothing"),
        ("[a-", "has, at character 1, a [ that is not closed"),
        ("*a", r"has, at character 1, * where it means nothing; write \* for the character itself"),
        ("a**", r"has, at character 3, * where it means nothing; write \* for the character itself"),
        ("a^b", r"has, at character 2, ^ where it means nothing; write \^ for the character itself"),
        ("(?=a)", "has, at character 3, a group with (?, of which only (?: is known"),
        (r"(a)\1", r"has, at character 5, \1, which is unknown"),
        ("\\", "has, at character 2, \\, which is unknown"),
        ("[z-a]", "has, at character 5, a range in [ ] that does not go up from one character to another"),
        ("a{5,2}", "has, at character 2, {5,2}, which is not from 0 to 300 times"),
        ("(a{200}){200}", "describes more than 300 characters"),
        ("(" * 21 + ")" * 21, "has, at character 22, groups in more than 20 others"),
        ("a" * 501, "has 501 characters, and may have 500"),
    ],
)
def test_what_is_no_pattern_says_why(pattern: str, flaw: str) -> None:
    with pytest.raises(ValueError, match=re.escape(flaw)):
        Pattern(pattern)


def test_no_pattern_and_no_text_take_long() -> None:
    began = time.monotonic()
    for pattern in ("(a*)*b", "(a|a)*b", "(a|aa)+$", "a*" * 60 + "b", "(((a{0,6})*){0,6})*b", "(((){300}){300}){300}"):
        assert not Pattern(pattern).matches("a" * (LONGEST_TEXT - 1) + "!")
    assert time.monotonic() - began < 10
    assert not Pattern("a*").matches("a" * (LONGEST_TEXT + 1))
