"""Ticks of schedules beside an independent calculation, for all zones, over the days on which their clocks change."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from itertools import islice, takewhile
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

import pytest

from job_orchestra.composition.cron_expressions import local_times
from job_orchestra.domain.schedules import MissingTime, RepeatedTime, ScheduleSettings
from job_orchestra.domain.tick_times import ClockRules, Timetable, latest_tick_times, tick_times, timetable_of

COUNT = 1000
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Expression:
    """Five fields, and what they mean said in sets."""

    minutes: Sequence[int]
    hours: Sequence[int]
    days: Sequence[int] | None
    weekdays: Sequence[int] | None
    """Sunday is 0."""
    month: int | None
    special: str = ""
    """A day of the week of which only the last (5L) or the n-th (1#2) counts."""

    @property
    def text(self) -> str:
        weekdays = self.special or written(self.weekdays)
        return f"{written(self.minutes)} {written(self.hours)} {written(self.days)} {self.month or '*'} {weekdays}"

    def holds_on(self, day: date) -> bool:
        if self.month is not None and day.month != self.month:
            return False
        is_day = self.days is None or day.day in self.days
        is_weekday = self._is_special(day) if self.special else self.weekdays is None or _weekday(day) in self.weekdays
        if self.days is not None and (self.special or self.weekdays is not None):
            return is_day or is_weekday
        return is_day and is_weekday

    def _is_special(self, day: date) -> bool:
        weekday, number = self.special.removesuffix("L").partition("#")[::2]
        if _weekday(day) != int(weekday):
            return False
        return (day.day - 1) // 7 + 1 == int(number) if number else (day + 7 * _DAY).month != day.month

    def times_of(self, day: date) -> Iterator[datetime]:
        if self.holds_on(day):
            for hour in self.hours:
                for minute in self.minutes:
                    yield datetime.combine(day, time(hour, minute))


def _weekday(day: date) -> int:
    return day.isoweekday() % 7


def written(numbers: Sequence[int] | None) -> str:
    return "*" if numbers is None else ",".join(map(str, numbers))


def some_expression(chance: random.Random) -> Expression:
    """Of few hundred ticks a year at the least, and with hours at which clocks are changed."""
    return Expression(
        minutes=sorted(chance.sample(range(60), chance.choice([1, 1, 1, 3]))),
        hours=sorted({*chance.sample(range(24), chance.choice([2, 6, 24])), chance.randrange(4)}),
        days=None if chance.random() < 0.7 else sorted(chance.sample(range(1, 32), 15)),
        weekdays=None if chance.random() < 0.7 else sorted(chance.sample(range(7), 4)),
        month=None,
    )


@dataclass(frozen=True)
class Segment:
    """A stretch of time in which the clocks of a zone go on evenly."""

    begin: datetime
    end: datetime
    offset: timedelta


def segments_of(zone: ZoneInfo, begin: datetime, end: datetime) -> Sequence[Segment]:
    def offset(moment: datetime) -> timedelta:
        found = moment.astimezone(zone).utcoffset()
        assert found is not None
        return found

    segments: list[Segment] = []
    start = begin
    moment = begin
    while moment < end:
        following = moment + 6 * _HOUR
        if offset(moment) != offset(following):
            seconds = range(6 * 3600 + 1)
            low, high = 0, len(seconds) - 1
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (
                    (middle, high) if offset(moment + middle * _HOUR / 3600) == offset(moment) else (low, middle)
                )
            change = moment + high * _HOUR / 3600
            segments.append(Segment(start, change, offset(moment)))
            start = change
        moment = following
    return [*segments, Segment(start, end, offset(end))]


def expected(segments: Sequence[Segment], expression: Expression, rules: ClockRules, after: datetime) -> list[datetime]:
    """Each local time is looked for in each segment."""
    found: set[datetime] = set()
    day = segments[0].begin.date()
    position = 0
    while day < segments[-1].end.date():
        while segments[position].end.replace(tzinfo=None) < datetime.combine(day - 2 * _DAY, time()):
            position += 1
        near = segments[position : position + 6]
        for local in expression.times_of(day):
            moments = [(local - one.offset).replace(tzinfo=UTC) for one in near]
            real = [moment for moment, one in zip(moments, near, strict=True) if one.begin <= moment < one.end]
            if real:
                found.update(real if rules.repeated is RepeatedTime.TWICE else real[:1])
            elif rules.missing is MissingTime.NEXT:
                shown = [one.begin for one in near if (one.begin + one.offset).replace(tzinfo=None) > local]
                found.update(shown[:1])
        day += _DAY
    return sorted(moment for moment in found if moment > after)


@pytest.mark.parametrize("share", range(4))
def test_as_calculated_otherwise_in_all_zones(share: int) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for name in different_zones()[share::4]:
        rules = ClockRules(chance.choice(list(MissingTime)), chance.choice(list(RepeatedTime)))
        after = datetime(1970, 1, 5, tzinfo=UTC) + timedelta(seconds=chance.randrange(67 * 365 * 86400))
        compare(some_expression(chance), ZoneInfo(name), rules, after, COUNT)


@pytest.mark.parametrize("special", ["5L", "0#1", "1#2", "3#5", "6L"])
@pytest.mark.parametrize("month", [None, 3, 10])
def test_special_days_as_calculated_otherwise(special: str, month: int | None) -> None:
    expression = Expression([30], [2], None, None, month, special)
    for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"):
        compare(expression, ZoneInfo(name), ClockRules(), datetime(1996, 1, 1, tzinfo=UTC), 40)


def different_zones() -> list[str]:
    """All of the database, but each of those that are the same under several names once."""
    by_rules: dict[bytes, str] = {}
    for name in sorted(available_timezones()):
        by_rules.setdefault(rules_of(name), name)
    return sorted(by_rules.values())


def rules_of(zone: str) -> bytes:
    """The file that `ZoneInfo` reads: that of the system, or else of the package."""
    for directory in TZPATH:
        file = Path(directory) / zone
        if file.is_file():
            return file.read_bytes()
    return files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def compare(expression: Expression, zone: ZoneInfo, rules: ClockRules, after: datetime, count: int) -> None:
    timetable = Timetable(expression.text, zone, rules)
    ticks = list(islice(tick_times(timetable, local_times, after), count))
    assert len(ticks) == count
    # The first days are no days of which everything is known.
    segments = segments_of(zone, after - 4 * _DAY, ticks[-1] + 4 * _DAY)
    calculated = [one for one in expected(segments, expression, rules, after) if one <= ticks[-1]]
    assert ticks == calculated, (expression.text, zone.key, rules, after)


# ---------- by hand


def ticks(expression: str, after: str, count: int, zone: str = "Europe/Berlin", **rules: str) -> list[str]:
    """In local time with its offset; `rules` as in a projects file."""
    settings = ScheduleSettings(
        job="job",
        expression=expression,
        time_zone=zone,
        missing_time=MissingTime(rules["missing_time"]) if "missing_time" in rules else None,
        repeated_time=RepeatedTime(rules["repeated_time"]) if "repeated_time" in rules else None,
    )
    moments = tick_times(timetable_of(settings), local_times, datetime.fromisoformat(after))
    return [f"{one.astimezone(ZoneInfo(zone)):%m-%d %H:%M%z}" for one in islice(moments, count)]


def test_a_time_that_does_not_exist() -> None:
    evening = "2026-03-28T20:00+01:00"
    assert ticks("30 2 * * *", evening, 2) == ["03-29 03:00+0200", "03-30 02:30+0200"]
    assert ticks("30 2 * * *", evening, 2, missing_time="skip") == ["03-30 02:30+0200", "03-31 02:30+0200"]
    assert ticks("0,30 2,3 29 3 *", evening, 2) == ["03-29 03:00+0200", "03-29 03:30+0200"]


def test_a_time_that_exists_twice() -> None:
    evening = "2026-10-24T20:00+02:00"
    assert ticks("30 2 * * *", evening, 2) == ["10-25 02:30+0200", "10-26 02:30+0100"]
    assert ticks("30 2 * * *", evening, 2, repeated_time="twice") == ["10-25 02:30+0200", "10-25 02:30+0100"]
    assert ticks("0,30 2 * * *", evening, 4, repeated_time="twice") == [
        "10-25 02:00+0200", "10-25 02:30+0200", "10-25 02:00+0100", "10-25 02:30+0100",
    ]  # fmt: skip


def test_the_second_pass_is_not_forgotten_by_who_asks_within_the_first() -> None:
    within = "2026-10-25T02:45+02:00"
    assert ticks("30 2 * * *", within, 1, repeated_time="twice") == ["10-25 02:30+0100"]
    assert ticks("30 2 * * *", within, 1) == ["10-26 02:30+0100"]


def test_what_holds_in_every_hour_goes_on_evenly() -> None:
    assert ticks("30 * * * *", "2026-03-29T00:45+01:00", 3) == [
        "03-29 01:30+0100",
        "03-29 03:30+0200",
        "03-29 04:30+0200",
    ]
    assert ticks("30 * * * *", "2026-10-25T01:45+02:00", 3) == [
        "10-25 02:30+0200",
        "10-25 02:30+0100",
        "10-25 03:30+0100",
    ]
    chosen = ticks("30 * * * *", "2026-10-25T01:45+02:00", 2, repeated_time="once")
    assert chosen == ["10-25 02:30+0200", "10-25 03:30+0100"]


def test_a_day_that_does_not_exist() -> None:
    """Samoa went over to the other side of the date line."""
    before = "2011-12-29T20:00-10:00"
    assert ticks("0 6 * * *", before, 2, "Pacific/Apia") == ["12-31 00:00+1400", "12-31 06:00+1400"]


@pytest.mark.parametrize("word", ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"])
def test_words(word: str) -> None:
    assert len(ticks(word, "2026-01-01T00:00Z", 3)) == 3


def test_an_expression_that_comes_to_its_end() -> None:
    assert ticks("0 0 29 2 *", "2026-01-01T00:00Z", 1, "UTC") == ["02-29 00:00+0000"]


@pytest.mark.parametrize("expression", ["* * * * *", "*/7 3 * * *", "0 0 1 1 *", "* * * 11 *"])
@pytest.mark.parametrize("days", [0.01, 2, 40])
def test_the_latest_ticks_of_a_long_time(expression: str, days: float) -> None:
    timetable = timetable_of(ScheduleSettings("j", expression, "Europe/Berlin"))
    until = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
    after = until - days * _DAY
    every = list(takewhile(lambda moment: moment <= until, tick_times(timetable, local_times, after)))
    assert latest_tick_times(timetable, local_times, after, until, 100) == every[-100:]
