from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given

from job_orchestra.domain.moments import from_microseconds, to_microseconds
from tests.domain.strategies import checked, moments


@checked
@given(moments)
def test_there_and_back(moment: datetime) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment


def test_microseconds_are_exact() -> None:
    # As a float of seconds this date would lose its last digit.
    moment = datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert to_microseconds(moment) % 1_000_000 == 999_999


def test_other_zones_are_the_same_moment() -> None:
    there = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=2)))
    assert from_microseconds(to_microseconds(there)) == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_date_without_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_microseconds(datetime(2026, 11, 23))  # noqa: DTZ001
