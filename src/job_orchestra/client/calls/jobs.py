from __future__ import annotations

from job_orchestra.client.call import Call, idempotency, path, query
from job_orchestra.domain.checking import Reader, read_all
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.places import Place
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.projects import JobAnswer
from job_orchestra.protocol.resources.runs import RunAnswer, TriggerBody

_PARAMETERS = Place().field("parameters")


def list_all(project: str, *, limit: int | None = None, cursor: str | None = None) -> Call[Page[JobAnswer]]:
    return Call("GET", path("projects", project, "jobs"), Page[JobAnswer], query=query(limit=limit, cursor=cursor))


def get(project: str, job: str) -> Call[JobAnswer]:
    return Call("GET", path("projects", project, "jobs", job), JobAnswer)


def trigger(
    project: str,
    job: str,
    parameters: JsonObject | None = None,
    *,
    priority: int | None = None,
    abort_with_run: bool = False,
    idempotency_key: str | None = None,
) -> Call[RunAnswer]:
    """The run is durable when this is answered; a key that was used before answers with its run.

    Invalid for parameters that are no JSON, such as NaN, which would be sent as something else.
    `abort_with_run`: if the run whose token this is called with is aborted, the new one is, too.
    """
    return Call(
        "POST",
        path("projects", project, "jobs", job, "trigger"),
        RunAnswer,
        TriggerBody(read_all(parameters or {}, Reader.json_object, _PARAMETERS), priority, abort_with_run),
        headers=idempotency(idempotency_key),
    )


def enable(project: str, job: str) -> Call[JobAnswer]:
    return Call("POST", path("projects", project, "jobs", job, "enable"), JobAnswer)


def disable(project: str, job: str) -> Call[JobAnswer]:
    return Call("POST", path("projects", project, "jobs", job, "disable"), JobAnswer)
