"""What an executor needs to know to carry out one attempt of a run: the content of `request.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import limits_from_data, limits_to_data
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.run_key import RunKey


@dataclass(frozen=True, slots=True)
class Request:
    run: str
    attempt: int
    project: str
    job: str
    definition: JsonObject
    parameters: JsonObject
    workspace: Workspace
    limits: RunLimits
    service_url: str
    boot: str
    """Of the host at the time of writing: a request is carried out within the same boot only."""
    token: str = field(default="", repr=False)
    """For the API, of this attempt alone; empty if it has none."""
    executor: str | None = None
    """`module:Class` that carries out a definition of a type that is not built in."""

    @property
    def key(self) -> RunKey:
        return RunKey(self.run, self.attempt)


def encode_request(request: Request) -> bytes:
    data: JsonObject = {
        "run": request.run,
        "attempt": request.attempt,
        "project": request.project,
        "job": request.job,
        "definition": request.definition,
        "parameters": request.parameters,
        "workspace": request.workspace.value,
        "limits": limits_to_data(request.limits),
        "service_url": request.service_url,
        "boot": request.boot,
        "token": request.token,
        "executor": request.executor,
    }
    return json.dumps(data).encode()


def decode_request(content: bytes) -> Request:
    """Invalid, naming what is wrong, if that is no request."""
    try:
        data: dict[str, Any] = json.loads(content)
        return Request(
            run=str(data["run"]),
            attempt=int(data["attempt"]),
            project=str(data["project"]),
            job=str(data["job"]),
            definition=dict(data["definition"]),
            parameters=dict(data["parameters"]),
            workspace=Workspace(data["workspace"]),
            limits=limits_from_data(data["limits"]),
            service_url=str(data["service_url"]),
            boot=str(data["boot"]),
            token=str(data.get("token", "")),
            executor=data["executor"],
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid.at("request", f"{type(error).__name__}: {error}") from None
