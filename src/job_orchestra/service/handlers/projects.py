from __future__ import annotations

from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.projects import ProjectAnswer
from job_orchestra.service.answers.pages import page
from job_orchestra.service.answers.projects import project_answer
from job_orchestra.service.call import Call
from job_orchestra.service.parameters import CURSOR, LIMIT, ORDER_BY
from job_orchestra.service.parts import ServiceParts


async def list_all(parts: ServiceParts, call: Call) -> Page[ProjectAnswer]:
    listed = await parts.projects.list(call.value(LIMIT), call.value(CURSOR), call.value(ORDER_BY))
    return page(listed, lambda project: project_answer(project, parts.url))


async def show(parts: ServiceParts, call: Call) -> ProjectAnswer:
    return project_answer(await parts.projects.get(call.path["project"]), parts.url)
