"""How long each of the last runs of a job took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from statistics import median

from job_orchestra.protocol.resources.runs import RunSummaryAnswer
from job_orchestra.website.paths import run_path
from job_orchestra.website.pictures.shapes import SHAPES
from job_orchestra.website.pictures.ticks import duration_ticks
from job_orchestra.website.presentation import duration_words, elapsed, moment_words

_LEFT = 72
_PITCH = 15
_TOP = 10
_PLOT = 100
_BELOW = 18
_MOST_TICKS = 4


@dataclass(frozen=True, slots=True)
class DurationBar:
    x: int
    height: int
    """0 for a run that never began."""
    status: str
    title: str
    address: str

    @property
    def shape(self) -> str:
        return SHAPES.get(self.status, "")


@dataclass(frozen=True, slots=True)
class Durations:
    """`description` is for those who do not see it."""

    description: str
    width: int
    height: int
    left: int
    floor: int
    """Where the bars stand."""
    bars: tuple[DurationBar, ...]
    ticks: tuple[tuple[int, str], ...]


def durations_of(runs: Sequence[RunSummaryAnswer], now: datetime) -> Durations | None:
    """Of runs from the newest on, drawn from the oldest on; None where none has begun."""
    pairs = [(run, _duration(run, now)) for run in reversed(runs)]
    begun = [duration for _, duration in pairs if duration is not None]
    if not begun:
        return None
    longest = max(*begun, 0.001)
    return Durations(
        description=_description([run.duration for run in runs if run.duration is not None]),
        width=_LEFT + len(pairs) * _PITCH,
        height=_TOP + _PLOT + _BELOW,
        left=_LEFT,
        floor=_TOP + _PLOT,
        bars=tuple(
            DurationBar(
                x=_LEFT + number * _PITCH,
                height=0 if duration is None else max(1, _height(duration, longest)),
                status=run.status,
                title=_title(run, duration, now.tzinfo or UTC),
                address=run_path(run.project, run.identifier),
            )
            for number, (run, duration) in enumerate(pairs)
        ),
        ticks=tuple(
            (_TOP + _PLOT - _height(tick, longest), words) for tick, words in duration_ticks(longest, _MOST_TICKS)
        ),
    )


def _height(duration: float, longest: float) -> int:
    return round(_PLOT * duration / longest)


def _duration(run: RunSummaryAnswer, now: datetime) -> float | None:
    """So far, of one that goes on."""
    if run.duration is not None or run.started_at is None or run.ended_at is not None:
        return run.duration
    return elapsed(run.started_at, now)


def _title(run: RunSummaryAnswer, duration: float | None, zone: tzinfo) -> str:
    words = "" if duration is None else f", {duration_words(duration)}"
    return f"{moment_words(run.created_at, zone)}: {run.status}{words}"


def _description(ended: Sequence[float]) -> str:
    if not ended:
        return "None of them has ended."
    if len(ended) == 1:
        return f"The last one that has ended took {duration_words(ended[0])}."
    return (
        f"The last {len(ended)} that have ended took between {duration_words(min(ended))} and"
        f" {duration_words(max(ended))}, half of them at most {duration_words(median(ended))}."
    )
