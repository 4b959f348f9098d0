from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.domain.schedules import CatchUp, ScheduleSettings
from job_orchestra.domain.ticks import TickState, decide

_NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def states(
    *minutes: float, catch_up: str = "latest", age: float | None = None, unended_run: str | None = None
) -> list[TickState]:
    """Of ticks that came due so many minutes ago."""
    settings = ScheduleSettings("job", "* * * * *", catch_up=CatchUp(catch_up), catch_up_age=age)
    moments = [_NOW - timedelta(minutes=each) for each in minutes]
    decisions = decide(moments, _NOW, settings, unended_run)
    assert [one.due for one in decisions] == moments
    assert all(one.detail for one in decisions if one.state is not TickState.DUE)
    return [one.state for one in decisions]


_DUE, _BUSY, _MISSED = TickState.DUE, TickState.BUSY, TickState.MISSED


@pytest.mark.parametrize("catch_up", CatchUp)
def test_on_time(catch_up: str) -> None:
    assert states(0, catch_up=catch_up) == [_DUE]
    assert states(0.9, catch_up=catch_up) == [_DUE]
    assert states(0, catch_up=catch_up, unended_run="r") == [_BUSY]
    assert states(0, catch_up=catch_up, age=0) == [_DUE]


def test_what_was_missed() -> None:
    assert states(5, 3, catch_up="none") == [_MISSED, _MISSED]
    assert states(5, 3, catch_up="latest") == [_MISSED, _DUE]
    assert states(5, 3, catch_up="all") == [_DUE, _DUE]
    assert states(5, 3, catch_up="none", unended_run="r") == [_MISSED, _MISSED]
    assert states(5, 3, catch_up="latest", unended_run="r") == [_MISSED, _BUSY]
    assert states(5, 3, catch_up="all", unended_run="r") == [_DUE, _DUE]


def test_what_was_missed_beside_what_is_on_time() -> None:
    assert states(5, 3, 0, catch_up="none") == [_MISSED, _MISSED, _DUE]
    assert states(5, 3, 0, catch_up="latest") == [_MISSED, _MISSED, _DUE]
    assert states(5, 3, 0, catch_up="all") == [_DUE, _DUE, _BUSY]


def test_what_is_too_old() -> None:
    assert states(5, 3, 2, catch_up="all", age=200) == [_MISSED, _DUE, _DUE]
    assert states(5, catch_up="latest", age=200) == [_MISSED]
    assert states(5, 3, catch_up="latest", age=200) == [_MISSED, _DUE]
