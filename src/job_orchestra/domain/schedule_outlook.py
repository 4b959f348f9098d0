"""What is ahead of a schedule: when it ticks next, and what would keep that from making a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.checking import shown
from job_orchestra.domain.jobs import Job
from job_orchestra.domain.schedules import Schedule, ScheduleSettings
from job_orchestra.domain.tick_times import LocalTimes, tick_times, timetable_of
from job_orchestra.domain.ticks import Refusal, request_for


@dataclass(frozen=True, slots=True)
class Outlook:
    next_tick: datetime | None = None
    """None if it does not tick: disabled, no longer configured, or broken."""
    flaw: str | None = None
    """Why it cannot trigger its job, in a sentence; None of one that is no longer configured."""


def flaw_of_times(settings: ScheduleSettings, error: ValueError) -> str:
    return f"It cannot tick: {shown(settings.expression)} in {shown(settings.time_zone)} {error}."


def outlook_of(schedule: Schedule, job: Job | None, local_times: LocalTimes, now: datetime) -> Outlook:
    if not schedule.is_active:
        return Outlook()
    if schedule.flaw:
        return Outlook(flaw=schedule.flaw)
    try:
        next_tick = next(tick_times(timetable_of(schedule.settings), local_times, now), None)
    except ValueError as error:
        return Outlook(flaw=flaw_of_times(schedule.settings, error))
    wanted = request_for(schedule, job)
    return Outlook(next_tick if schedule.is_enabled else None, wanted.sentence if isinstance(wanted, Refusal) else None)
