from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from job_orchestra.protocol.resources.runs import EventAnswer
from job_orchestra.website.commands import command_rows
from job_orchestra.website.paths import is_local, path, with_query
from job_orchestra.website.presentation import duration_words, elapsed, moment_words, safe_url, size_words
from job_orchestra.website.trees import tree_of


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ms"), (0.0854, "85 ms"), (0.9994, "999 ms"), (0.9999, "1.0 s"), (4.24, "4.2 s"), (59.9, "59.9 s"),
        (59.96, "1 min"), (200.0, "3 min 20 s"), (3600.0, "1 h"), (7500.0, "2 h 5 min"),
        (86400.0 * 3 + 4 * 3600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_durations_are_written_for_people(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 20, "1.0 MiB"), (150 << 20, "150 MiB"),
     (1 << 30, "1.0 GiB"), (5 << 50, "5120 TiB")],
)  # fmt: skip
def test_sizes_are_written_for_people(size: int, words: str) -> None:
    assert size_words(size) == words


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("2026-11-26T12:00:00Z", "Asia/Kathmandu", "2026-11-26 17:45:00"),
        ("0001-01-01T00:00:00Z", "America/New_York", "0001-01-01 00:00:00"),
        ("9999-12-31T23:00:00Z", "Europe/Paris", "9999-12-31 23:00:00"),
    ],
)
def test_dates_are_those_of_a_zone_as_far_as_there_are_any(text: str, zone: str, words: str) -> None:
    assert moment_words(text, ZoneInfo(zone)) == words


def test_dates_are_utc() -> None:
    assert moment_words("2026-11-23T10:00:00.123Z") == "2026-11-23 10:00:00"
    assert moment_words("2026-11-23T10:00:00.123+02:00") == "2026-11-23 08:00:00"
    assert elapsed("2026-11-23T10:00:00.000Z", datetime(2026, 11, 23, 9, tzinfo=UTC)) == 0.0


@pytest.mark.parametrize(
    "address",
    ["//evil.example/", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "\t/x", "/x\n", "/ x"],
)
def test_only_local_addresses_are_gone_back_to(address: str) -> None:
    assert not is_local(address)


def test_local_addresses() -> None:
    assert is_local("/")
    assert is_local("/projects/a%2Fb?job=x&status=failed")


def test_identifiers_in_addresses_lead_nowhere_else() -> None:
    assert path("projects", "a/b?c#d") == "/projects/a%2Fb%3Fc%23d"
    assert with_query("/runs", job="a&b", status="", cursor=None) == "/runs?job=a%26b"


def test_only_web_addresses_become_links() -> None:
    assert safe_url("https://example.org/a?b=c") == "https://example.org/a?b=c"
    for text in (
        "javascript:alert(1)",
        "http://",
        "https:///x",
        "ftp://example.org",
        "https://a b",
        "http://[",
        "see http://x",
        "https://example.org@evil.example/",
        "https://example.org\\@evil.example/",
    ):
        assert safe_url(text) is None


def test_trees_are_bounded() -> None:
    wide = tree_of({str(index): index for index in range(1000)})
    assert (len(wide.children), wide.hidden) == (100, 900)
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    node, depth = tree_of(deep), 0  # type: ignore[arg-type]
    while node.children:
        node, depth = node.children[0], depth + 1
    assert depth < 20
    assert node.hidden == 1
    assert len(tree_of("x" * 100_000).text) < 3000


def test_commands_of_a_run_are_told_by_its_events() -> None:
    def event(sequence: int, kind: str, **data: object) -> EventAnswer:
        return EventAnswer(1, sequence, kind, "2026-11-23T10:00:00.000Z", data)  # type: ignore[arg-type]

    rows = command_rows(
        [
            event(1, "started"),
            event(
                2, "command_started", phase="setup", index=0, arguments=["git", "clone", "a b"], log_offset=3, process=1
            ),
            event(3, "command_ended", phase="setup", index=0, exit_code=-9, duration=1.5, log_offset=9),
            event(4, "command_started", phase="commands", index=0, arguments=["it's", ""], log_offset=9, process=2),
        ]
    )
    assert [(row.phase, row.arguments, row.exit_code, row.duration) for row in rows] == [
        ("setup", "git clone 'a b'", -9, 1.5),
        ("commands", "'it'\"'\"'s' ''", None, None),
    ]
