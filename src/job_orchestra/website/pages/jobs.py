from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import jobs, runs
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.projects import JobAnswer
from job_orchestra.protocol.resources.runs import RunSummaryAnswer
from job_orchestra.website import trigger_form
from job_orchestra.website.kept_form import RESENT
from job_orchestra.website.page import Page
from job_orchestra.website.paths import job_path, run_path
from job_orchestra.website.pictures.durations import Durations, durations_of
from job_orchestra.website.pictures.pipeline_graph import PipelineGraph, graph_of_job
from job_orchestra.website.pictures.success import SuccessRate, success_rate_of
from job_orchestra.website.pipelines import pipeline_of
from job_orchestra.website.presentation import elapsed
from job_orchestra.website.responses import redirect
from job_orchestra.website.trees import Tree, tree_of
from job_orchestra.website.visit import Visit

_LAST_RUNS = 15
_MOST_DRAWN = 50
"""So many of the last runs are in the pictures."""
_SAME_CLICK = 10.0
"""Seconds in which the same form with the same values means the same run: a double click, a reload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage(Page):
    template: ClassVar[str] = "job.html"
    section: ClassVar[str] = "/projects"
    job: JobAnswer
    fields: tuple[trigger_form.Field, ...]
    mistakes: tuple[str, ...]
    """Of the form as a whole."""
    key: str
    """Random: tells two forms from one that was sent twice."""
    definition: Tree
    graph: PipelineGraph | None
    """Of a pipeline, unless it has too many lines to be read."""
    limits: Tree
    runs: tuple[RunSummaryAnswer, ...]
    durations: Durations | None
    success_rate: SuccessRate | None


async def show(visit: Visit) -> Response:
    return visit.page(await _page(visit))


async def trigger(visit: Visit) -> Response:
    project, identifier = visit.value("project"), visit.value("job")
    job = await visit.send(jobs.get(project, identifier))
    try:
        parameters = trigger_form.values(job.parameters, visit.form)
        key = _idempotency_key(visit, parameters)
        run = await visit.send(jobs.trigger(project, identifier, parameters, idempotency_key=key))
        if RESENT not in visit.form and elapsed(run.created_at, visit.site.clock.now()) > _SAME_CLICK:
            # A page that was kept in the browser and sent again later is meant as another trigger.
            run = await visit.send(jobs.trigger(project, identifier, parameters))
    except Invalid as error:
        return visit.page(await _page(visit, error), 422)
    return redirect(run_path(run.project, run.identifier))


async def enable(visit: Visit) -> Response:
    job = await visit.send(jobs.enable(visit.value("project"), visit.value("job")))
    return redirect(job_path(job.project, job.identifier))


async def disable(visit: Visit) -> Response:
    job = await visit.send(jobs.disable(visit.value("project"), visit.value("job")))
    return redirect(job_path(job.project, job.identifier))


async def _page(visit: Visit, error: Invalid | None = None) -> JobPage:
    project, identifier = visit.value("project"), visit.value("job")
    job, last_runs = await asyncio.gather(
        visit.send(jobs.get(project, identifier)),
        visit.send(runs.list_all(project, job=identifier, limit=_MOST_DRAWN)),
    )
    # In a thread: other visitors need not wait for the picture of a large pipeline.
    graph = await asyncio.to_thread(_drawn, job) if job.type == PipelineDefinition.type else None
    typed = visit.form if error else None
    return JobPage(
        title=job.display_name or job.identifier,
        job=job,
        fields=tuple(trigger_form.fields(job.parameters, typed, error)),
        mistakes=tuple(trigger_form.other_mistakes(job.parameters, error)) if error else (),
        key=secrets.token_hex(8),
        definition=tree_of(job.definition),
        graph=graph,
        limits=tree_of(job.limits),
        runs=tuple(last_runs.items[:_LAST_RUNS]),
        durations=durations_of(last_runs.items, visit.now),
        success_rate=success_rate_of(last_runs.items),
    )


def _drawn(job: JobAnswer) -> PipelineGraph | None:
    pipeline = pipeline_of(job.definition)
    return None if pipeline is None else graph_of_job(pipeline, job.project)


def _idempotency_key(visit: Visit, parameters: JsonObject) -> str:
    """Of the user, not of the session: that may end before the form is sent again."""
    user = visit.me.user.identifier if visit.me else ""
    content = json.dumps([user, visit.form.get("key"), parameters], sort_keys=True)
    return f"page-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
