from __future__ import annotations

from job_orchestra.domain.bound_runs import bound_to
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.jobs import Job
from job_orchestra.domain.placement import candidate_of
from job_orchestra.domain.triggering import request_of, sample_request
from job_orchestra.protocol.control import JobSwitched
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.projects import JobAnswer, ObstacleAnswer
from job_orchestra.protocol.resources.runs import TriggerBody
from job_orchestra.service.answers.pages import page
from job_orchestra.service.answers.projects import job_answer
from job_orchestra.service.call import Answered, Call
from job_orchestra.service.handlers.runs import triggered
from job_orchestra.service.parameters import CURSOR, IDEMPOTENCY_KEY, LIMIT, ORDER_BY
from job_orchestra.service.parts import ServiceParts


async def list_all(parts: ServiceParts, call: Call) -> Page[JobAnswer]:
    project = await parts.projects.get(call.path["project"])
    listed = await parts.jobs.list(project.identifier, call.value(LIMIT), call.value(CURSOR), call.value(ORDER_BY))
    return page(listed, job_answer)


async def show(parts: ServiceParts, call: Call) -> JobAnswer:
    job = await parts.jobs.get(call.path["project"], call.path["job"])
    return job_answer(job, await _fitting(parts, job))


async def _fitting(parts: ServiceParts, job: Job) -> list[ObstacleAnswer]:
    """What keeps each worker from runs of the job, but for the runs that are there now."""
    if isinstance(job.settings.definition, PipelineDefinition):
        return []
    request, now = sample_request(job), parts.clock.now()
    return [
        ObstacleAnswer(worker.identifier, [one.sentence for one in parts.selector.obstacles(request, candidate)])
        for worker in await parts.workers.all()
        for candidate in [candidate_of(worker, (), now)]
    ]


async def trigger(parts: ServiceParts, call: Call) -> Answered:
    body = call.body_as(TriggerBody)
    job = await parts.jobs.get(call.path["project"], call.path["job"])
    request, key = request_of(job, body.parameters, body.priority), call.value(IDEMPOTENCY_KEY)
    if body.abort_with_run:
        request = bound_to(call.source, request)
        return await triggered(parts, await parts.bound_runs.trigger(request, call.source, key))
    return await triggered(parts, await parts.runs.trigger(request, call.source, key))


async def enable(parts: ServiceParts, call: Call) -> JobAnswer:
    return await _switch(parts, call, True)


async def disable(parts: ServiceParts, call: Call) -> JobAnswer:
    return await _switch(parts, call, False)


async def _switch(parts: ServiceParts, call: Call, is_enabled: bool) -> JobAnswer:
    job = await parts.jobs.set_enabled(call.path["project"], call.path["job"], is_enabled)
    parts.masters.tell(JobSwitched(job.project, job.identifier))
    return job_answer(job)
