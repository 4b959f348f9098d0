"""The timeline of a pipeline's run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from job_orchestra.protocol.resources.runs import ElementAnswer, RunSummaryAnswer
from job_orchestra.website.pictures.ticks import date_ticks, duration_ticks
from job_orchestra.website.pictures.timeline import Timeline, timeline_of_run
from tests.website.pictures.answers import element_with, run_answer
from tests.website.pictures.drawing import NOW, SVG, draw, svgs, words

GOES_ON = run_answer("running", created=-100, started=-100)
ENDED = run_answer("failed", created=-100, started=-100, ended=0)


def drawn(pipeline: RunSummaryAnswer, *elements: ElementAnswer) -> Timeline:
    timeline = timeline_of_run(pipeline, elements, NOW)
    assert timeline is not None
    return timeline


def test_rows_wait_thin_and_are_executed_thick_up_to_now(tmp_path: Path) -> None:
    timeline = drawn(
        GOES_ON,
        element_with("later", run_answer("pending", created=-10)),
        element_with("works", run_answer("running", created=-50, started=-20, attempt=2)),
        element_with("done", run_answer("succeeded", created=-100, started=-75, ended=-50)),
        element_with("never", run_answer("cancelled", created=-9, ended=-5)),
    )
    assert [row.name for row in timeline.rows] == ["done", "works", "later", "never"]
    done, works, later, never = timeline.rows
    assert [done.words, works.words, later.words, never.words] == [
        "succeeded, 25.0 s", "running, 20.0 s so far, attempt 2", "pending", "cancelled"
    ]  # fmt: skip
    plot = timeline.right - timeline.left
    assert done.executing is not None and works.executing is not None
    assert (done.waiting.x, done.waiting.width) == (timeline.left, plot // 4)
    assert (done.executing.x, done.executing.width) == (timeline.left + plot // 4, plot // 4)
    assert works.executing.x + works.executing.width == timeline.right
    assert later.executing is None and later.waiting.x + later.waiting.width == timeline.right
    assert never.executing is None and never.waiting.x + never.waiting.width < timeline.right
    [picture] = svgs(draw(tmp_path, "timeline", timeline))
    rows = list(picture.iter(f"{SVG}a"))
    assert [words(row) for row in rows] == [
        "done ✓ succeeded, 25.0 s", "works ▶ running, 20.0 s so far, attempt 2", "later ○ pending", "never ⊘ cancelled"
    ]  # fmt: skip
    assert [len(row.findall(f"{SVG}rect")) for row in rows] == [2, 2, 1, 1]
    assert "to now, UTC: 4 runs" in words(picture)


def test_moments_of_clocks_that_disagree_stay_in_the_picture() -> None:
    """The worker's clock goes wrong, and the website's behind."""
    timeline = drawn(
        run_answer("running", created=20, started=20),
        element_with("early", run_answer("succeeded", created=30, started=-500, ended=-400)),
        element_with("late", run_answer("running", created=30, started=900)),
    )
    for row in timeline.rows:
        for stretch in (row.waiting, row.executing):
            assert stretch is not None
            assert timeline.left <= stretch.x
            assert stretch.x + stretch.width <= timeline.right + 2
            assert stretch.width >= 2


def test_a_moment_is_enough() -> None:
    timeline = drawn(
        run_answer("succeeded", created=0, started=0, ended=0),
        element_with("quick", run_answer("succeeded", created=0, started=0, ended=0)),
    )
    assert timeline.rows[0].waiting.width == 2


def test_runs_that_there_is_no_room_for_are_counted(tmp_path: Path) -> None:
    many = [element_with(f"e{number}", run_answer("succeeded", created=number - 100)) for number in range(70)]
    timeline = drawn(ENDED, *many)
    assert [row.name for row in timeline.rows] == [f"e{number}" for number in range(60)]
    assert timeline.hidden == 10
    assert "10 more are not shown." in draw(tmp_path, "timeline", timeline)


def test_parts_that_are_kept_or_have_no_run_have_no_row() -> None:
    kept = element_with("kept", run_answer("succeeded", created=-5000), is_kept=True)
    assert timeline_of_run(ENDED, [kept, element_with("refused", None)], NOW) is None
    timeline = drawn(ENDED, kept, element_with("new", run_answer("failed", created=-90, started=-80, ended=-1)))
    assert [row.name for row in timeline.rows] == ["new"]
    assert timeline.hidden == 0
    assert timeline.rows[0].waiting.x > timeline.left


def test_names_of_any_kind_and_length_are_shown_harmlessly(tmp_path: Path) -> None:
    name = '<b>"&' + "x" * 60
    timeline = drawn(ENDED, element_with(name, run_answer("failed", created=-90, started=-80, ended=-1)))
    html = draw(tmp_path, "timeline", timeline)
    assert "<b>" not in html
    [picture] = svgs(html)
    [title] = [one.text for one in picture.findall(f".//{SVG}a/{SVG}title")]
    assert title == name
    assert len(timeline.rows[0].name) == 26


@pytest.mark.parametrize(
    ("seconds", "texts"),
    [
        (2, ["10:30:00", "10:30:01", "10:30:02"]),
        (50, ["10:30:00", "10:30:10", "10:30:20", "10:30:30", "10:30:40", "10:30:50"]),
        (600, ["10:30", "10:32", "10:34", "10:36", "10:38", "10:40"]),
        (20 * 3600, ["11-26 12:00", "11-26 18:00", "11-27 00:00", "11-27 06:00"]),
        (86_400 * 9, ["2026-11-27", "2026-11-29", "2026-12-01", "2026-12-03", "2026-12-05"]),
    ],
)
def test_ticks_are_round_moments(seconds: int, texts: list[str]) -> None:
    assert [text for _, text in date_ticks(NOW, NOW + timedelta(seconds=seconds), 5)] == texts


@pytest.mark.parametrize("seconds", [2, 61, 3601, 86_400, 86_400 * 40, 86_400 * 4000])
def test_ticks_are_few_whatever_the_span(seconds: int) -> None:
    start = datetime(2026, 2, 28, 23, 59, 59, 999_999, UTC)
    ticks = date_ticks(start, start + timedelta(seconds=seconds), 5)
    assert 1 <= len(ticks) <= 6
    assert all(start <= moment <= start + timedelta(seconds=seconds) for moment, _ in ticks)


def test_durations_have_round_ticks() -> None:
    assert duration_ticks(54, 4) == [(15, "15 s"), (30, "30 s"), (45, "45 s")]
    assert [words for _, words in duration_ticks(0.3, 3)] == ["100 ms", "200 ms", "300 ms"]
    assert [words for _, words in duration_ticks(7000, 4)] == ["30 min", "1 h", "1 h 30 min"]
    assert [words for _, words in duration_ticks(0.001, 4)] == ["1 ms"]


@pytest.mark.parametrize(("start", "minutes"), [("2026-03-29T00:30", 80), ("2026-10-25T00:50", 20)])
def test_a_change_of_clocks_moves_no_bar(start: str, minutes: int) -> None:
    """In Paris, clocks go from 2 to 3 in March, and from 3 to 2 in October, at 1 o'clock UTC."""
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    end = begin + timedelta(minutes=minutes)
    run = replace(
        run_answer("succeeded", started=0, ended=1),
        created_at=begin.isoformat(), started_at=begin.isoformat(), ended_at=end.isoformat(),
    )  # fmt: skip
    timeline = timeline_of_run(run, [element_with("only", run)], end.astimezone(ZoneInfo("Europe/Paris")))
    assert timeline is not None
    [row] = timeline.rows
    assert row.executing is not None
    assert (row.executing.x, row.executing.x + row.executing.width) == (timeline.left, timeline.right)
    places = [x for x, _ in timeline.ticks]
    assert places == sorted(set(places))
    assert all(timeline.left <= x <= timeline.right for x in places)
    assert f"From {begin.astimezone(ZoneInfo('Europe/Paris')):%Y-%m-%d %H:%M:%S}" in timeline.description
