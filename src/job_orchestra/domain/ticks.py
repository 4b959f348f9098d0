"""What becomes of the ticks of a schedule: one run at a time, and what was missed as its settings say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from job_orchestra.domain.schedules import CatchUp, ScheduleSettings

MOST_MISSED = 1000
"""Of the ticks of one outage, so many are recorded and caught up with: the latest."""
_ON_TIME = timedelta(minutes=1)
"""A tick that is seen this much later was not missed: ticks come a minute apart, and masters take a moment to restart."""


class TickState(StrEnum):
    DUE = "due"
    """It is to make a run as soon as that of the tick before has ended."""
    TRIGGERED = "triggered"
    BUSY = "busy"
    """It made none, for the run of an earlier tick had not ended."""
    MISSED = "missed"
    """It made none, for no master was there when it came due."""
    REFUSED = "refused"
    """It made none, for the job could not be triggered."""


@dataclass(frozen=True, slots=True)
class Tick:
    project: str
    schedule: str
    due: datetime
    state: TickState
    job: str
    """That the schedule triggered when the tick came due."""
    decided_at: datetime
    run: str | None = None
    detail: str = ""
    """A sentence: why there is no run."""


@dataclass(frozen=True, slots=True)
class Decision:
    due: datetime
    state: TickState
    detail: str = ""


def decide(
    moments: Sequence[datetime], now: datetime, settings: ScheduleSettings, unended_run: str | None
) -> list[Decision]:
    """Of moments that have come due and of which nothing was decided yet, in their order.

    `unended_run` is that of an earlier tick, or says that there will be one.
    """
    wanted = set(_wanted(moments, now, settings))
    decisions: list[Decision] = []
    for due in moments:
        if due not in wanted:
            decisions.append(Decision(due, TickState.MISSED, _why_missed(due, now, settings)))
        elif unended_run is not None and not _waits(due, now, settings):
            detail = f"Run {unended_run} of this schedule had not ended."
            decisions.append(Decision(due, TickState.BUSY, detail))
        else:
            decisions.append(Decision(due, TickState.DUE))
            unended_run = "of the tick before"
    return decisions


def _wanted(moments: Sequence[datetime], now: datetime, settings: ScheduleSettings) -> Iterator[datetime]:
    for due, following in pairwise([*moments, None]):
        assert due is not None
        if _is_on_time(due, now):
            yield due
        elif _is_young(due, now, settings):
            if settings.catch_up is CatchUp.ALL or (settings.catch_up is CatchUp.LATEST and following is None):
                yield due


def _waits(due: datetime, now: datetime, settings: ScheduleSettings) -> bool:
    return settings.catch_up is CatchUp.ALL and not _is_on_time(due, now)


def _is_on_time(due: datetime, now: datetime) -> bool:
    return now - due <= _ON_TIME


def _is_young(due: datetime, now: datetime, settings: ScheduleSettings) -> bool:
    return settings.catch_up_age is None or (now - due).total_seconds() <= settings.catch_up_age


def _why_missed(due: datetime, now: datetime, settings: ScheduleSettings) -> str:
    if settings.catch_up is CatchUp.NONE:
        return "No master was there when it came due."
    if not _is_young(due, now, settings):
        return f"No master was there when it came due, more than {settings.catch_up_age:g} s ago."
    return "No master was there when it came due; only the latest such tick is caught up with."
