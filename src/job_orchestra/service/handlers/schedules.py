from __future__ import annotations

import asyncio
from itertools import islice

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.tick_times import tick_times, timetable_of
from job_orchestra.protocol.resources import Page, ScheduleAnswer, SchedulePreviewAnswer
from job_orchestra.service.answers.dates import iso
from job_orchestra.service.answers.pages import page
from job_orchestra.service.answers.projects import schedule_answer
from job_orchestra.service.call import Call
from job_orchestra.service.parameters import CURSOR, LIMIT, ORDER_BY, TICK_LIMIT
from job_orchestra.service.parts import ServiceParts


async def list_all(parts: ServiceParts, call: Call) -> Page[ScheduleAnswer]:
    project = await parts.projects.get(call.path["project"])
    listed = await parts.schedules.list(project.identifier, call.value(LIMIT), call.value(CURSOR), call.value(ORDER_BY))
    return page(listed, schedule_answer)


async def show(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return schedule_answer(await parts.schedules.get(call.path["project"], call.path["schedule"]))


async def preview(parts: ServiceParts, call: Call) -> SchedulePreviewAnswer:
    schedule = await parts.schedules.get(call.path["project"], call.path["schedule"])
    try:
        timetable = timetable_of(schedule.settings)
        moments = tick_times(timetable, parts.local_times, parts.clock.now())
        # A thread, for rare times are found by going through decades of days.
        ticks = await asyncio.to_thread(lambda: [iso(one) for one in islice(moments, call.value(TICK_LIMIT))])
    except ValueError as error:
        raise Conflict(f"Schedule {schedule.project}/{schedule.identifier} cannot tick: {error}.") from None
    return SchedulePreviewAnswer(ticks)


async def enable(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return schedule_answer(await parts.schedules.set_enabled(call.path["project"], call.path["schedule"], True))


async def disable(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return schedule_answer(await parts.schedules.set_enabled(call.path["project"], call.path["schedule"], False))
