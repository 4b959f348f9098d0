"""Whether what is configured fits together: names of other jobs, their parameters, and no cycle among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from job_orchestra.domain.checking import Mistakes, Reader, nearest
from job_orchestra.domain.definitions import ElementDefinition, PipelineDefinition
from job_orchestra.domain.jobs import JobSettings
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.parameters import read_value
from job_orchestra.domain.pipelines.checks import check_order, cycles_of
from job_orchestra.domain.pipelines.values import constants_of
from job_orchestra.domain.places import Place
from job_orchestra.domain.webhooks import WebhookSettings

JobKey: TypeAlias = tuple[str, str]
"""Project and job."""


def check_pipelines(jobs: Mapping[JobKey, JobSettings], mistakes: Mistakes) -> None:
    for (project, job), settings in jobs.items():
        if isinstance(settings.definition, PipelineDefinition):
            place = Place().named("project", project).named("job", job)
            elements = settings.definition.elements
            _check_elements(elements, project, jobs, place, mistakes)
            check_order(elements, [one.identifier for one in settings.parameters], place, mistakes)
    _check_nesting(jobs, mistakes)


def check_webhooks(
    webhooks: Sequence[WebhookSettings], project: str, jobs: Mapping[JobKey, JobSettings], mistakes: Mistakes
) -> None:
    """That each trigger names a job of the project, and gives it what it needs."""
    place = Place().named("project", project).field("webhooks")
    for index, webhook in enumerate(webhooks):
        for position, trigger in enumerate(webhook.triggers):
            there = place.item(index).field("triggers").item(position)
            key = (project, trigger.job)
            if check_job_exists(jobs, key, there.field("job"), mistakes):
                parameters = there.field("parameters")
                _check_given(trigger.parameters, trigger.job, jobs[key], parameters, mistakes)
                _check_constants(trigger.constants, jobs[key], parameters, mistakes)


def check_job_exists(jobs: Mapping[JobKey, JobSettings], key: JobKey, place: Place, mistakes: Mistakes) -> bool:
    """Whether the job is configured; a mistake at `place` if it is not. Empty names are wrong already."""
    if key in jobs or not all(key):
        return key in jobs
    project, job = key
    known = sorted(name for owner, name in jobs if owner == project)
    if not known:
        message = nearest(project, sorted({owner for owner, _ in jobs}))
        mistakes.add(place, f"there is no project {project!r} that has jobs{message}")
        return False
    message = nearest(job, known) or f"; its jobs are {', '.join(known)}"
    mistakes.add(place, f"project {project} has no job {job!r}{message}")
    return False


def _check_elements(
    elements: tuple[ElementDefinition, ...],
    project: str,
    jobs: Mapping[JobKey, JobSettings],
    place: Place,
    mistakes: Mistakes,
) -> None:
    if not elements:
        mistakes.add(place.field("elements"), "is empty; a pipeline has at least one element")
    names = [element.identifier for element in elements]
    for element in elements:
        there = place.named("element", element.identifier)
        key = (element.project or project, element.job)
        if check_job_exists(jobs, key, there.field("job"), mistakes):
            parameters = there.field("parameters")
            _check_given(element.parameters, element.job, jobs[key], parameters, mistakes)
            _check_constants(constants_of(element.parameters), jobs[key], parameters, mistakes)
            if element.retry is not None and isinstance(jobs[key].definition, PipelineDefinition):
                mistakes.add(there.field("retries"), "is for jobs; of a pipeline, each element may have its own")
        for index, after in enumerate(element.after):
            if after.element and after.element not in names:
                message = f"there is no element {after.element!r}{nearest(after.element, names)}"
                mistakes.add(there.field("after").item(index), message)


def _check_given(given: JsonObject, name_of_job: str, job: JobSettings, place: Place, mistakes: Mistakes) -> None:
    known = [parameter.identifier for parameter in job.parameters]
    for name in given:
        if name not in known:
            mistakes.add(place.field(name), f"is no parameter of job {name_of_job}{nearest(name, known)}")
    for parameter in job.parameters:
        if parameter.is_required and parameter.identifier not in given:
            mistakes.add(place.field(parameter.identifier), f"is missing; in job {name_of_job} it has no default")


def _check_constants(given: JsonObject, job: JobSettings, place: Place, mistakes: Mistakes) -> None:
    """What is the same in every run is refused now, not in every run."""
    for parameter in job.parameters:
        if parameter.identifier in given:
            read_value(Reader(given[parameter.identifier], mistakes, place.field(parameter.identifier)), parameter)


def _check_nesting(jobs: Mapping[JobKey, JobSettings], mistakes: Mistakes) -> None:
    graph: dict[str, set[str]] = {}
    for (project, job), settings in jobs.items():
        if isinstance(settings.definition, PipelineDefinition):
            elements = settings.definition.elements
            graph[f"{project}/{job}"] = {f"{element.project or project}/{element.job}" for element in elements}
    for cycle in cycles_of(graph):
        project, job = cycle[0].split("/")
        place = Place().named("project", project).named("job", job).field("elements")
        mistakes.add(place, f"contain the pipeline itself: {' → '.join(cycle)}")
