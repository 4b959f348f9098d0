from __future__ import annotations

from itertools import pairwise

import pytest

from job_orchestra.domain.versions import version_key

IN_ORDER = (
    "1.0.dev1", "1.0a1", "1.0-alpha.2", "1.0b1", "1.0-rc.1", "1.0rc2", "1.0", "1.0-18-amd64", "1.0.1", "1.9", "1.10",
    "3.9.2", "3.11", "3.11.4", "3.12.0rc1", "3.12", "6.1.0-9-amd64", "6.1.0-18-amd64", "2024-01-31", "2024-02-01",
)  # fmt: skip


@pytest.mark.parametrize(("earlier", "later"), list(pairwise(IN_ORDER)))
def test_versions_are_in_order(earlier: str, later: str) -> None:
    before, after = version_key(earlier), version_key(later)
    assert before is not None
    assert after is not None
    assert before < after


@pytest.mark.parametrize(
    ("one", "other"),
    [("3.11", "3.11.0"), ("v3.11", "3.11"), ("V1", "1"), ("1.0RC1", "1rc1"), ("1.0-alpha1", "1.0a1"), ("1+x.y", "1")],
)
def test_the_same_version_is_written_in_several_ways(one: str, other: str) -> None:
    assert version_key(one) == version_key(other)


@pytest.mark.parametrize("text", ["", "x", "linux", "v", ".1", "1.", "1-", "1 2", "1:2", "1+", "\u0663.1", "1" * 101])
def test_what_is_no_version(text: str) -> None:
    assert version_key(text) is None


def test_no_text_takes_long_to_be_refused() -> None:
    for text in ("1" + "a1" * 49 + "!", "1" * 99 + "!", "1." * 49 + "!", "1" + "-a" * 49 + "!"):
        assert version_key(text) is None
