"""Dates as repositories tell of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from job_orchestra.domain.revisions import bounded_moment, moment_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1700000120", datetime(2023, 11, 14, 22, 15, 20, tzinfo=UTC)),
        ("2023-11-15T00:15:20+02:00", datetime(2023, 11, 14, 22, 15, 20, tzinfo=UTC)),
        ("2023-11-14T22:15:20Z", datetime(2023, 11, 14, 22, 15, 20, tzinfo=UTC)),
        ("2023-11-14T22:15:20", datetime(2023, 11, 14, 22, 15, 20, tzinfo=UTC)),
        ("", _EPOCH),
        ("yesterday", _EPOCH),
        ("-5", _EPOCH),
        ("0001-01-01T00:00:00Z", _EPOCH),
        ("0001-01-01T00:00:00+02:00", _EPOCH),
        ("9999-12-31T23:59:59-02:00", _LATEST),
        ("10000-01-01T00:00:00Z", _EPOCH),
        ("253402300800", _LATEST),
        ("99999999999999999", _LATEST),
        ("9" * 30, _LATEST),
        ("9" * 5000, _EPOCH),
    ],
)
def test_whatever_a_repository_says_is_a_date_that_can_be_told(text: str, moment: datetime) -> None:
    found = moment_of(text)
    assert found == moment
    assert found.utcoffset() == timedelta(0)
    for hours in (-14, 14):
        found.astimezone(timezone(timedelta(hours=hours)))


def test_dates_of_others_are_bounded() -> None:
    nowhere = datetime.min.replace(tzinfo=UTC).replace(tzinfo=None)
    for odd in (nowhere, datetime.min.replace(tzinfo=timezone(timedelta(hours=2)))):
        assert bounded_moment(odd) == _EPOCH
    for odd in (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=timezone(timedelta(hours=-2)))):
        assert bounded_moment(odd) == _LATEST
