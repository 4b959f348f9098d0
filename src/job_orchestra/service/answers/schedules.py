from __future__ import annotations

from job_orchestra.domain.schedule_outlook import Outlook
from job_orchestra.domain.schedules import Schedule
from job_orchestra.domain.ticks import Tick
from job_orchestra.protocol.resources.projects import ScheduleAnswer, TickAnswer
from job_orchestra.service.answers.dates import iso, optional_iso


def schedule_answer(schedule: Schedule, outlook: Outlook, last_tick: Tick | None) -> ScheduleAnswer:
    settings = schedule.settings
    return ScheduleAnswer(
        project=schedule.project,
        identifier=schedule.identifier,
        job=settings.job,
        expression=settings.expression,
        time_zone=settings.time_zone,
        missing_time=settings.missing_time,
        repeated_time=settings.repeated_time,
        catch_up=settings.catch_up.value,
        catch_up_age=settings.catch_up_age,
        parameters=settings.parameters,
        description=settings.description,
        is_active=schedule.is_active,
        is_enabled=schedule.is_enabled,
        flaw=outlook.flaw,
        next_tick=optional_iso(outlook.next_tick),
        last_tick=None if last_tick is None else tick_answer(last_tick),
    )


def tick_answer(tick: Tick) -> TickAnswer:
    return TickAnswer(
        due=iso(tick.due),
        state=tick.state.value,
        job=tick.job,
        run=tick.run,
        detail=tick.detail,
        decided_at=iso(tick.decided_at),
    )
