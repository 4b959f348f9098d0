"""What an installation had to do, as areas and lines over the last day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from job_orchestra.protocol.resources.administration import MeasureAnswer, MeasuresAnswer
from job_orchestra.website.pictures.load import Load, load_of
from job_orchestra.website.pictures.ticks import count_ticks
from tests.website.pictures.drawing import NOW, draw, svgs, words


def load(*measures: tuple[int, int, int, int, int, int]) -> Load | None:
    """Of tens of minutes ago, waiting, running, workers, executors and those in use."""
    items = [MeasureAnswer((NOW - timedelta(minutes=10 * ago)).isoformat(), *numbers) for ago, *numbers in measures]
    return load_of(MeasuresAnswer(600, items), NOW)


def test_areas_and_lines_go_in_steps_and_have_gaps(tmp_path: Path) -> None:
    found = load(
        (143, 0, 4, 1, 8, 4), (142, 8, 4, 1, 8, 4), (141, 8, 2, 2, 16, 2), (1, 1, 1, 1, 8, 1), (0, 1, 0, 1, 8, 0)
    )
    assert found is not None
    queue, executors = found.charts
    # From the floor up to the first height, as far as it lasts; nothing is drawn where nothing was measured.
    assert queue.area == "M56 72V72h4V8h8V72zM624 72V64h8V72z"
    assert queue.line == "M56 40h8V56h4M624 64h4V72h4"
    assert executors.line == "M56 40h8V8h4M624 40h8"
    assert found.width == 632
    assert [text for _, text in queue.ticks] == ["5"]
    assert queue.description == "At most 8 waited (10:50) and 4 ran (10:40); at the end 1 and 0."
    assert executors.description == (
        "1 to 2 workers were connected. At most 4 of 8 executors were in use (10:40); at the end 0 of 8."
    )
    assert found.gaps == "For 23 h 10 min no master was at work, and nothing was measured."
    assert [text for _, text in found.hours] == ["12:00", "18:00", "00:00", "06:00"]
    html = draw(tmp_path, "load", found)
    first, second = svgs(html)
    assert words(first).startswith(f"Runs {queue.description}")
    assert words(second).startswith("Executors 1 to 2 workers")
    assert html.count(queue.description) == 2


def test_what_is_little_beside_much_is_seen() -> None:
    found = load((1, 1000, 1, 1, 8, 1), (0, 0, 1, 1, 8, 1))
    assert found is not None
    assert found.charts[0].line == "M624 71h8"
    assert found.gaps == ""
    assert [text for _, text in found.charts[0].ticks] == ["500", "1,000"]


def test_without_measures_of_the_last_day_there_is_no_picture() -> None:
    assert load() is None
    assert load((200, 1, 1, 1, 1, 1)) is None
    empty = load((0, 0, 0, 0, 0, 0))
    assert empty is not None
    assert "0 workers were connected." in empty.charts[1].description


def test_ticks_are_round_numbers() -> None:
    assert [count_ticks(highest, 3) for highest in (0, 1, 3, 4, 7, 12, 16, 100_000)] == [
        [], [1], [1, 2, 3], [2, 4], [5], [5, 10], [10], [50_000, 100_000],
    ]  # fmt: skip


@pytest.mark.parametrize("change", ["2026-03-29T12:00", "2026-10-25T12:00"])
def test_a_day_on_which_clocks_change_has_all_its_hours(change: str) -> None:
    now = datetime.fromisoformat(change).replace(tzinfo=ZoneInfo("Europe/Paris"))
    dates = [now.astimezone(UTC) - timedelta(minutes=10 * ago) for ago in range(143, -1, -1)]
    items = [MeasureAnswer(date.isoformat(), number, 0, 1, 8, 0) for number, date in enumerate(dates)]
    found = load_of(MeasuresAnswer(600, items), now)
    assert found is not None
    assert found.gaps == ""
    assert found.charts[0].description.endswith("at the end 143 and 0.")
    assert [text for _, text in found.hours] == ["18:00", "00:00", "06:00"]
