from __future__ import annotations

from job_orchestra.protocol.resources import Page, ScheduleAnswer
from job_orchestra.service.answers.pages import page
from job_orchestra.service.answers.projects import schedule_answer
from job_orchestra.service.call import Call
from job_orchestra.service.parameters import CURSOR, LIMIT, ORDER_BY
from job_orchestra.service.parts import ServiceParts


async def list_all(parts: ServiceParts, call: Call) -> Page[ScheduleAnswer]:
    project = await parts.projects.get(call.path["project"])
    listed = await parts.schedules.list(project.identifier, call.value(LIMIT), call.value(CURSOR), call.value(ORDER_BY))
    return page(listed, schedule_answer)


async def show(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return schedule_answer(await parts.schedules.get(call.path["project"], call.path["schedule"]))


async def enable(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return schedule_answer(await parts.schedules.set_enabled(call.path["project"], call.path["schedule"], True))


async def disable(parts: ServiceParts, call: Call) -> ScheduleAnswer:
    return schedule_answer(await parts.schedules.set_enabled(call.path["project"], call.path["schedule"], False))
