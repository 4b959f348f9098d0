"""Round values for the axes of pictures: moments and durations that people count in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from job_orchestra.website.presentation import duration_words, in_zone

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR),
    *(_DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY),
)
"""Seconds."""


def step_within(span: float, most: int) -> float:
    """The smallest round number of seconds that fits into the span at most so often."""
    step = 0.001
    while step < 1:
        for factor in (1, 2, 5):
            if span <= most * step * factor:
                return step * factor
        step *= 10
    whole = next((one for one in _STEPS if span <= most * one), _STEPS[-1])
    while span > most * whole:
        whole *= 2
    return whole


def date_ticks(start: datetime, end: datetime, most: int, zone: tzinfo = UTC) -> list[tuple[datetime, str]]:
    """Moments from start to end that clocks in the zone show as round ones, with what is written at each.

    All moments are UTC: of dates in a zone, Python takes the difference of what clocks show.
    """
    step = max(1, int(step_within((end - start).total_seconds(), most)))
    first_day, last_day = in_zone(start, zone), in_zone(end, zone)
    offset = int((first_day.utcoffset() or timedelta()).total_seconds())
    first = -(-(int(start.timestamp()) + offset) // step) * step - offset
    moments = [datetime.fromtimestamp(first + number * step, UTC) for number in range(most + 1)]
    shown = [moment for moment in moments if start <= moment <= end]
    form = _format(step, first_day, last_day)
    return [(moment, in_zone(moment, zone).strftime(form)) for moment in shown]


def duration_ticks(longest: float, most: int) -> list[tuple[float, str]]:
    """Round durations above 0, up to the longest, with what is written at each."""
    step = step_within(longest, most)
    # A little more than the longest: steps below a second are no exact numbers.
    shown = [step * number for number in range(1, most + 1) if step * number <= longest * 1.0001]
    return [(seconds, duration_words(seconds).replace(".0 s", " s")) for seconds in shown]


def _format(step: int, start: datetime, end: datetime) -> str:
    if step >= _DAY:
        return "%Y-%m-%d"
    day = "" if (end - timedelta(microseconds=1)).date() <= start.date() else "%m-%d "
    return f"{day}%H:%M" if step >= _MINUTE else f"{day}%H:%M:%S"


def count_ticks(highest: int, most: int) -> list[int]:
    """Round numbers above 0, up to the highest."""
    step = 1
    while highest > most * step:
        first = int(str(step)[0])
        step = step * 5 // 2 if first == 2 else step * 2
    return list(range(step, highest + 1, step))
