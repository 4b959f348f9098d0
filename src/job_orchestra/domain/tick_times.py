"""When a schedule ticks: the local times that its expression names, on the clocks of its time zone.

Where clocks are put forward, some local times do not exist; where they are put back, some exist twice.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile
from typing import TypeAlias

from job_orchestra.domain.cron import standard_expression, time_zone
from job_orchestra.domain.schedules import MissingTime, RepeatedTime, ScheduleSettings

LocalTimes: TypeAlias = Callable[[str, datetime], Iterator[datetime]]
"""The local times, without a zone, that five cron fields name behind the given one; ascending.

ValueError if they name none."""

_DAY = timedelta(days=1)
"""No clock was ever put forward or back by more."""
_SECOND = timedelta(seconds=1)
_LEAST_DISTANCE = timedelta(minutes=1)
"""Of two local times that five fields name."""


@dataclass(frozen=True, slots=True)
class ClockRules:
    """What to do where the clocks of a zone are put forward or back."""

    missing: MissingTime = MissingTime.NEXT
    repeated: RepeatedTime = RepeatedTime.ONCE


EACH_TIME = ClockRules(MissingTime.SKIP, RepeatedTime.TWICE)
"""For expressions of every hour: they tick whenever a clock shows one of their times, and never pause for an hour."""


@dataclass(frozen=True, slots=True)
class Timetable:
    expression: str
    """Five cron fields."""
    zone: tzinfo
    rules: ClockRules


def timetable_of(settings: ScheduleSettings) -> Timetable:
    """ValueError if expression or zone make no sense; what five fields mean is not asked."""
    expression = standard_expression(settings.expression)
    usual = EACH_TIME if expression.split()[1] == "*" else ClockRules()
    rules = ClockRules(settings.missing_time or usual.missing, settings.repeated_time or usual.repeated)
    return Timetable(expression, time_zone(settings.time_zone), rules)


def tick_times(timetable: Timetable, local_times: LocalTimes, after: datetime) -> Iterator[datetime]:
    """The moments behind `after`, in UTC, ascending, each once; it ends where the expression does."""
    zone = timetable.zone
    # The second pass of a repeated time comes behind the first pass of later ones: moments wait here until no earlier
    # one can come any more.
    waiting: list[datetime] = []
    last = after
    for local in local_times(timetable.expression, _earliest_local_time(zone, after)):
        first = _first_moment(zone, local)
        while waiting and waiting[0] <= first:
            moment = heapq.heappop(waiting)
            if moment > last:
                last = moment
                yield moment
        for moment in _moments(timetable, local, first):
            heapq.heappush(waiting, moment)
    for moment in sorted(set(waiting)):
        if moment > last:
            yield moment


def latest_tick_times(
    timetable: Timetable, local_times: LocalTimes, after: datetime, until: datetime, most: int
) -> list[datetime]:
    """The last `most` moments behind `after` and not behind `until`, ascending; `after` may be long ago."""
    span = most * _LEAST_DISTANCE
    while True:
        start = max(after, until - span)
        moments = takewhile(lambda moment: moment <= until, tick_times(timetable, local_times, start))
        latest = deque(moments, maxlen=most)
        if len(latest) == most or start == after:
            return list(latest)
        span *= 2


def _earliest_local_time(zone: tzinfo, after: datetime) -> datetime:
    """No clock of the zone shows an earlier time behind `after`."""
    # Where clocks are about to be put back, they will show times again that have passed.
    offset = min(_offset(zone, after), _offset(zone, after + _DAY))
    return after.astimezone(UTC).replace(tzinfo=None) + offset - _SECOND


def _moments(timetable: Timetable, local: datetime, first: datetime) -> Iterator[datetime]:
    zone, rules = timetable.zone, timetable.rules
    if _local_time(zone, first) == local:
        yield first
        second = _moment(zone, local, fold=1)
        if rules.repeated is RepeatedTime.TWICE and second != first:
            yield second
    elif rules.missing is MissingTime.NEXT:
        yield first


def _first_moment(zone: tzinfo, local: datetime) -> datetime:
    """When the clocks show this time or, if they never do, a later one."""
    # Of a time in a gap, fold says which offset to take it by: the one before gives a moment behind the gap, the one
    # behind it a moment before.
    late, early = _moment(zone, local, fold=0), _moment(zone, local, fold=1)
    if _local_time(zone, late) == local:
        return late
    before = _offset(zone, early)
    while late - early > _SECOND:
        middle = early + (late - early) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if _offset(zone, middle) == before:
            early = middle
        else:
            late = middle
    return late


def _moment(zone: tzinfo, local: datetime, fold: int) -> datetime:
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _local_time(zone: tzinfo, moment: datetime) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
