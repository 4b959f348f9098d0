"""How much an installation has to do, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measure:
    """The whole installation, whichever master looked at it."""

    minute: datetime
    """At which it was looked at, or a few seconds later."""
    waiting: int
    """Pending runs, those on their way to a worker included; counted no further than a hundred thousand."""
    running: int
    workers: int
    """That are connected."""
    executors: int
    """Of these workers: how many runs they take at a time."""
    in_use: int
    """Of these executors: by runs that they execute, or that are on their way there."""


def minute_of(date: datetime) -> datetime:
    """The one that it is in."""
    return _floor(date, MINUTE)


def coarser(measures: Sequence[Measure], step: timedelta) -> Iterator[Measure]:
    """One for each step in which there are any, by time: the highest of each number."""

    def step_of(measure: Measure) -> datetime:
        return _floor(measure.minute, step)

    for start, group in groupby(measures, key=step_of):
        yield _highest(start, list(group))


def _highest(start: datetime, measures: Iterable[Measure]) -> Measure:
    numbers = zip(
        *((one.waiting, one.running, one.workers, one.executors, one.in_use) for one in measures), strict=True
    )
    return Measure(start, *map(max, numbers))


def _floor(date: datetime, step: timedelta) -> datetime:
    return _EPOCH + (date - _EPOCH) // step * step
