"""How much an installation had to do over the last day: what waited and ran, and the executors that were in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from job_orchestra.protocol.resources.administration import MeasureAnswer, MeasuresAnswer
from job_orchestra.website.pictures.ticks import count_ticks
from job_orchestra.website.presentation import duration_words, in_zone, parse_moment

DAY_HOURS = 24
STEP_MINUTES = 10
_STEPS = DAY_HOURS * 60 // STEP_MINUTES
_LEFT = 56
_STEP_WIDTH = 4
_TOP = 8
_PLOT = 64
_BELOW = 20
_MOST_TICKS = 3
_HOURS = 6
"""Between two that are written below."""

Number = Callable[[MeasureAnswer], int]


@dataclass(frozen=True, slots=True)
class LoadChart:
    """An area and a line over the same hours. `description` is for those who do not see it."""

    title: str
    legend: str
    description: str
    height: int
    floor: int
    area: str
    line: str
    """Paths, with a gap wherever nothing was measured."""
    status: str
    line_status: str
    """Whose colours the area and the line have."""
    ticks: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Load:
    width: int
    left: int
    hours: tuple[tuple[int, str], ...]
    """Where the day's hours are written."""
    charts: tuple[LoadChart, ...]
    gaps: str
    """A sentence on when nothing was measured; empty if there was no such time."""


def load_of(measured: MeasuresAnswer, now: datetime) -> Load | None:
    """None where nothing was measured; hours are those of the zone of `now`."""
    zone = now.tzinfo or UTC
    step = timedelta(seconds=measured.step)
    last = _floor(now, step)
    first = last - (_STEPS - 1) * step
    places = [((parse_moment(one.date) - first) // step, one) for one in measured.items]
    shown = {place: one for place, one in places if 0 <= place < _STEPS}
    if not shown:
        return None
    return Load(
        width=_LEFT + _STEPS * _STEP_WIDTH,
        left=_LEFT,
        hours=tuple(_hours(first, step, zone)),
        charts=(_queue(shown, zone), _executors(shown, zone)),
        gaps=_gaps(shown, step),
    )


def _queue(shown: dict[int, MeasureAnswer], zone: tzinfo) -> LoadChart:
    items = list(shown.values())
    waiting, running = _highest(items, lambda one: one.waiting), _highest(items, lambda one: one.running)
    now = items[-1]
    return _chart(
        shown,
        title="Runs",
        legend="the area those that waited, the line those that ran",
        description=(
            f"At most {waiting.waiting:,} waited ({_clock(waiting, zone)}) and {running.running:,} ran "
            f"({_clock(running, zone)}); at the end {now.waiting:,} and {now.running:,}."
        ),
        area=lambda one: one.waiting,
        line=lambda one: one.running,
        status=("pending", "running"),
    )


def _executors(shown: dict[int, MeasureAnswer], zone: tzinfo) -> LoadChart:
    items = list(shown.values())
    busiest, now = _highest(items, lambda one: one.in_use), items[-1]
    fewest, most = min(one.workers for one in items), max(one.workers for one in items)
    workers = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    return _chart(
        shown,
        title="Executors",
        legend="the area those in use, the line all of the connected workers",
        description=(
            f"{workers} {'worker was' if workers == '1' else 'workers were'} connected. At most {busiest.in_use:,} of "
            f"{busiest.executors:,} executors were in use ({_clock(busiest, zone)}); at the end {now.in_use:,} of "
            f"{now.executors:,}."
        ),
        area=lambda one: one.in_use,
        line=lambda one: one.executors,
        status=("running", "connected"),
    )


def _chart(
    shown: dict[int, MeasureAnswer],
    *,
    title: str,
    legend: str,
    description: str,
    area: Number,
    line: Number,
    status: tuple[str, str],
) -> LoadChart:
    highest = max(1, *(max(area(one), line(one)) for one in shown.values()))
    floor = _TOP + _PLOT

    def heights(number: Number) -> dict[int, int]:
        return {place: floor - _height(number(one), highest) for place, one in shown.items()}

    return LoadChart(
        title=title,
        legend=legend,
        description=description,
        height=floor + _BELOW,
        floor=floor,
        area="".join(f"M{x} {floor}V{steps}V{floor}z" for x, steps in _stretches(heights(area))),
        line="".join(f"M{x} {steps}" for x, steps in _stretches(heights(line))),
        status=status[0],
        line_status=status[1],
        ticks=tuple((floor - _height(count, highest), f"{count:,}") for count in count_ticks(highest, _MOST_TICKS)),
    )


def _stretches(heights: dict[int, int]) -> Iterator[tuple[int, str]]:
    """Of each stretch without a gap: where it begins, and its steps from the first height on, as few as there are."""
    previous, x, path, width = -2, 0, "", 0
    for place, y in sorted(heights.items()):
        if place != previous + 1:
            if path:
                yield x, f"{path}h{width}"
            x, path, width = _LEFT + place * _STEP_WIDTH, f"{y}", 0
        elif y != heights[previous]:
            path, width = f"{path}h{width}V{y}", 0
        width += _STEP_WIDTH
        previous = place
    if path:
        yield x, f"{path}h{width}"


def _height(number: int, highest: int) -> int:
    """What is not nothing is seen."""
    return max(1, round(_PLOT * number / highest)) if number else 0


def _hours(first: datetime, step: timedelta, zone: tzinfo) -> Iterator[tuple[int, str]]:
    """Far enough from both ends for the text to have room."""
    for place in range(6, _STEPS - 4):
        moment = in_zone(first + place * step, zone)
        if moment.hour % _HOURS == 0 and moment.minute == 0:
            yield _LEFT + place * _STEP_WIDTH, f"{moment:%H:%M}"


def _gaps(shown: dict[int, MeasureAnswer], step: timedelta) -> str:
    missing = sum(1 for place in range(min(shown), _STEPS - 1) if place not in shown)
    if not missing:
        return ""
    return f"For {duration_words(missing * step.total_seconds())} no master was at work, and nothing was measured."


def _highest(items: Sequence[MeasureAnswer], number: Number) -> MeasureAnswer:
    """The first of the highest."""
    return max(items, key=number)


def _clock(measure: MeasureAnswer, zone: tzinfo) -> str:
    return f"{in_zone(parse_moment(measure.date), zone):%H:%M}"


def _floor(date: datetime, step: timedelta) -> datetime:
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(date.timestamp()) // seconds * seconds, UTC)
