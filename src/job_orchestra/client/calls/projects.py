from __future__ import annotations

from job_orchestra.client.call import Call, path, query
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.projects import ProjectAnswer
from job_orchestra.protocol.resources.repositories import (
    BranchesAnswer,
    ProjectStatusAnswer,
    RepositoryAnswer,
    RevisionsAnswer,
)


def list_all(*, limit: int | None = None, cursor: str | None = None) -> Call[Page[ProjectAnswer]]:
    return Call("GET", "/projects", Page[ProjectAnswer], query=query(limit=limit, cursor=cursor))


def get(project: str) -> Call[ProjectAnswer]:
    return Call("GET", path("projects", project), ProjectAnswer)


def repository(project: str) -> Call[RepositoryAnswer]:
    return Call("GET", path("projects", project, "repository"), RepositoryAnswer)


def branches(project: str, *, limit: int | None = None, cursor: str | None = None) -> Call[BranchesAnswer]:
    """By name."""
    return Call("GET", path("projects", project, "branches"), BranchesAnswer, query=query(limit=limit, cursor=cursor))


def revisions(
    project: str, *, branch: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[RevisionsAnswer]:
    """Newest first; of the default branch, if none is given."""
    filters = query(branch=branch, limit=limit, cursor=cursor)
    return Call("GET", path("projects", project, "revisions"), RevisionsAnswer, query=filters)


def status(
    project: str, *, branch: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[ProjectStatusAnswer]:
    """Likewise, each revision with the last run of each job for it."""
    filters = query(branch=branch, limit=limit, cursor=cursor)
    return Call("GET", path("projects", project, "status"), ProjectStatusAnswer, query=filters)
