from __future__ import annotations

from job_orchestra.client.call import Call, path, query
from job_orchestra.protocol.resources import Page, ProjectAnswer


def list_all(*, limit: int | None = None, cursor: str | None = None) -> Call[Page[ProjectAnswer]]:
    return Call("GET", "/projects", Page[ProjectAnswer], query=query(limit=limit, cursor=cursor))


def get(project: str) -> Call[ProjectAnswer]:
    return Call("GET", path("projects", project), ProjectAnswer)
