"""From a job, as it is configured now, to the request that a run keeps for ever."""

from __future__ import annotations

from job_orchestra.domain.checking import Mistakes, Reader
from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.job_data import read_priority
from job_orchestra.domain.jobs import Job
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.parameters import read_parameter_values
from job_orchestra.domain.places import Place
from job_orchestra.domain.runs import RunRequest


def request_of(job: Job, parameters: JsonObject, priority: int | None = None) -> RunRequest:
    """Invalid for parameters or a priority that the job does not take, Conflict if the job cannot be triggered.

    A disabled job can be: its runs wait until it is enabled.
    """
    settings = job.settings
    if not job.is_active:
        raise Conflict(f"Job {job.project}/{job.identifier} is no longer configured, so nothing can trigger it.")
    mistakes = Mistakes()
    values = read_parameter_values(Reader(parameters, mistakes, Place().field("parameters")), settings.parameters)
    if priority is not None:
        priority = read_priority(Reader(priority, mistakes, Place().field("priority")))
    mistakes.raise_if_any()
    return _request(job, values, settings.priority if priority is None else priority)


def sample_request(job: Job) -> RunRequest:
    """Of a run as a trigger would make it, without parameters: to see which workers it would fit."""
    return _request(job, {}, job.settings.priority)


def _request(job: Job, parameters: JsonObject, priority: int) -> RunRequest:
    settings = job.settings
    return RunRequest(
        project=job.project,
        job=job.identifier,
        definition=settings.definition,
        parameters=parameters,
        properties=settings.properties,
        preferences=settings.preferences,
        workspace=settings.workspace,
        limits=settings.limits,
        loss=settings.loss,
        retry=settings.retry,
        priority=priority,
        concurrency=settings.concurrency,
        expiry=settings.expiry,
        token=settings.token,
    )
