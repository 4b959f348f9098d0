from __future__ import annotations

import pytest

from job_orchestra.domain.similarity import most_similar


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("statsu", ["job", "status"], "status"),
        ("jbo", ["run", "job"], "job"),
        ("colour", ["color", "size"], "color"),
        ("identifer", ["identifier"], "identifier"),
        ("environ", ["parameters", "environment"], "environment"),
        ("order", ["order_by", "limit"], "order_by"),
        ("created_befor", ["created_after", "created_before"], "created_before"),
        ("created", ["created_after", "created_before"], None),
        ("requested_at", ["created_at", "created_after"], None),
        ("sort", ["source", "job", "status"], None),
        ("cancelled_at", ["created_at", "started_at"], None),
        ("x", [], None),
        ("a", ["b", "ab"], None),
        ("", ["job"], None),
        ("a" * 10_000, ["a" * 10_001], None),
    ],
)
def test_who_is_meant(name: str, known: list[str], expected: str | None) -> None:
    assert most_similar(name, known) == expected
