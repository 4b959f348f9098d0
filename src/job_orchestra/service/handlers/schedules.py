from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.schedule_outlook import Outlook, flaw_of_times, outlook_of
from job_orchestra.domain.schedules import Schedule
from job_orchestra.domain.tick_times import tick_times, timetable_of
from job_orchestra.protocol.control import ScheduleSwitched
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.projects import ScheduleAnswer, SchedulePreviewAnswer, TickAnswer
from job_orchestra.service.answers.dates import iso
from job_orchestra.service.answers.pages import page
from job_orchestra.service.answers.schedules import schedule_answer, tick_answer
from job_orchestra.service.call import Call
from job_orchestra.service.parameters import CURSOR, LIMIT, ORDER_BY, TICK_LIMIT, TICK_ORDER_BY
from job_orchestra.service.parts import ServiceParts


async def list_all(parts: ServiceParts, call: Call) -> Page[ScheduleAnswer]:
    project = await parts.projects.get(call.path["project"])
    listed = await parts.schedules.list(project.identifier, call.value(LIMIT), call.value(CURSOR), call.value(ORDER_BY))
    return Page(await _answers(parts, project.identifier, listed.items), listed.next)


async def show(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return await _answer(parts, await parts.schedules.get(call.path["project"], call.path["schedule"]))


async def preview(parts: ServiceParts, call: Call) -> SchedulePreviewAnswer:
    schedule = await parts.schedules.get(call.path["project"], call.path["schedule"])
    name = f"Schedule {schedule.project}/{schedule.identifier}"
    if schedule.flaw:
        raise Conflict(f"{name}: {schedule.flaw}")
    try:
        timetable = timetable_of(schedule.settings)
        moments = tick_times(timetable, parts.local_times, parts.clock.now())
        # A thread, for rare times are found by going through decades of days.
        ticks = await asyncio.to_thread(lambda: [iso(one) for one in islice(moments, call.value(TICK_LIMIT))])
    except ValueError as error:
        raise Conflict(f"{name}: {flaw_of_times(schedule.settings, error)}") from None
    return SchedulePreviewAnswer(ticks)


async def list_ticks(parts: ServiceParts, call: Call) -> Page[TickAnswer]:
    schedule = await parts.schedules.get(call.path["project"], call.path["schedule"])
    order = call.value(TICK_ORDER_BY)
    listed = await parts.ticks.list(
        schedule.project, schedule.identifier, call.value(LIMIT), call.value(CURSOR), newest_first=order
    )
    return page(listed, tick_answer)


async def enable(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return await _switch(parts, call, True)


async def disable(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return await _switch(parts, call, False)


async def _switch(parts: ServiceParts, call: Call, is_enabled: bool) -> ScheduleAnswer:
    schedule = await parts.schedules.set_enabled(call.path["project"], call.path["schedule"], is_enabled)
    parts.masters.tell(ScheduleSwitched(schedule.project, schedule.identifier))
    return await _answer(parts, schedule)


async def _answer(parts: ServiceParts, schedule: Schedule) -> ScheduleAnswer:
    (answer,) = await _answers(parts, schedule.project, [schedule])
    return answer


async def _answers(parts: ServiceParts, project: str, schedules: Sequence[Schedule]) -> list[ScheduleAnswer]:
    """Of schedules of one project, with what was last and what is next."""
    jobs = await parts.jobs.named(project, {schedule.settings.job for schedule in schedules})
    last_ticks = await parts.ticks.latest(schedules)
    now = parts.clock.now()

    def look() -> list[Outlook]:
        return [outlook_of(one, jobs.get(one.settings.job), parts.local_times, now) for one in schedules]

    # A thread, as in the preview.
    outlooks = await asyncio.to_thread(look)
    return [schedule_answer(*each) for each in zip(schedules, outlooks, last_ticks, strict=True)]
