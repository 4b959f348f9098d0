"""The timeline of a pipeline's run: when each part waited, and when it was executed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from job_orchestra.protocol.resources.runs import ElementAnswer, PartAnswer, RunAnswer, RunSummaryAnswer
from job_orchestra.website.paths import run_path
from job_orchestra.website.pictures.names import NAME_CHARACTER, shortened
from job_orchestra.website.pictures.shapes import SHAPES
from job_orchestra.website.pictures.ticks import date_ticks
from job_orchestra.website.presentation import duration_words, elapsed, in_zone, parse_moment

_MOST_ROWS = 60
_MOST_CHARACTERS = 26
_MOST_TICKS = 5
_ROW = 20
_TOP = 24
_PLOT = 600
_WORDS = 250
"""Width of what stands behind each row."""
_PADDING = 12
_SHORTEST = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Stretch:
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class TimelineRow:
    y: int
    """Of its middle."""
    name: str
    title: str
    """The whole name, where there was no room for it."""
    status: str
    words: str
    address: str
    waiting: Stretch
    executing: Stretch | None

    @property
    def shape(self) -> str:
        return SHAPES.get(self.status, "")


@dataclass(frozen=True, slots=True)
class Timeline:
    """`description` is for those who do not see it."""

    description: str
    width: int
    height: int
    left: int
    """Where the time begins."""
    right: int
    rows: tuple[TimelineRow, ...]
    ticks: tuple[tuple[int, str], ...]
    hidden: int
    """Parts that there is no room for."""


def timeline_of_run(
    run: RunAnswer | RunSummaryAnswer, elements: Sequence[ElementAnswer], now: datetime
) -> Timeline | None:
    """Of the parts that it had executed, in the order of their runs; None while there are none."""
    parts = [part for element in elements for part in element.parts if part.run is not None and not part.is_kept]
    if not parts:
        return None
    untold = sum(sum(element.numbers.values()) - len(element.parts) for element in elements)
    pairs = sorted(((part.run.created_at, part, part.run) for part in parts if part.run), key=lambda pair: pair[0])
    shown = [(part, part_run) for _, part, part_run in pairs[:_MOST_ROWS]]
    longest = max(len(shortened(part.label, _MOST_CHARACTERS)) for part, _ in shown)
    zone, now = now.tzinfo or UTC, now.astimezone(UTC)
    scale = _Scale.over([run, *(part_run for _, _, part_run in pairs)], now, ceil(longest * NAME_CHARACTER) + _PADDING)
    rows = tuple(_row(number, part, part_run, scale) for number, (part, part_run) in enumerate(shown))
    ticks = tuple((scale.x(moment), text) for moment, text in date_ticks(scale.start, scale.end, _MOST_TICKS, zone))
    until = "now" if run.ended_at is None else f"{in_zone(scale.end, zone):%Y-%m-%d %H:%M:%S}"
    return Timeline(
        description=f"From {in_zone(scale.start, zone):%Y-%m-%d %H:%M:%S} to {until}, {zone}: {len(rows)} runs,"
        " in the order of their creation. The table of elements has the duration of each.",
        width=scale.left + _PLOT + _WORDS,
        height=_TOP + len(rows) * _ROW,
        left=scale.left,
        right=scale.left + _PLOT,
        rows=rows,
        ticks=ticks,
        hidden=len(pairs) - len(rows) + untold,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    end: datetime
    now: datetime
    left: int

    @staticmethod
    def over(runs: Sequence[RunAnswer | RunSummaryAnswer], now: datetime, left: int) -> _Scale:
        """Wide enough for all moments, whichever clock told them, and to `now` while any goes on; all of it UTC."""
        moments = [parse_moment(text) for run in runs for text in _moments(run)]
        start, end = min(moments), max(moments)
        if any(run.ended_at is None for run in runs):
            end = max(end, now)
        return _Scale(start, max(end, start + _SHORTEST), now, left)

    def x(self, moment: datetime) -> int:
        return self.left + round(_PLOT * ((moment - self.start) / (self.end - self.start)))

    def stretch(self, first: datetime, last: datetime) -> Stretch:
        """Never nothing, and never backwards."""
        x = self.x(first)
        return Stretch(x, max(2, self.x(last) - x))


def _moments(run: RunAnswer | RunSummaryAnswer) -> Iterator[str]:
    return (text for text in (run.created_at, run.started_at, run.ended_at) if text is not None)


def _row(number: int, part: PartAnswer, run: RunSummaryAnswer, scale: _Scale) -> TimelineRow:
    created, end = parse_moment(run.created_at), parse_moment(run.ended_at) if run.ended_at else scale.now
    started = parse_moment(run.started_at) if run.started_at else None
    return TimelineRow(
        y=_TOP + number * _ROW + _ROW // 2,
        name=shortened(part.label, _MOST_CHARACTERS),
        title=part.label if len(part.label) > _MOST_CHARACTERS else "",
        status=part.status,
        words=_words(part, run, scale.now),
        address=run_path(run.project, run.identifier),
        waiting=scale.stretch(created, started or end),
        executing=None if started is None else scale.stretch(started, end),
    )


def _words(part: PartAnswer, run: RunSummaryAnswer, now: datetime) -> str:
    """`failed, 4.2 s, attempt 2`."""
    said = [part.status]
    if run.duration is not None:
        said.append(duration_words(run.duration))
    elif run.started_at is not None and run.ended_at is None:
        said.append(f"{duration_words(elapsed(run.started_at, now))} so far")
    return ", ".join([*said, *[f"attempt {run.attempt}"] * (run.attempt > 1)])
