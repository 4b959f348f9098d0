from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import projects
from job_orchestra.protocol.resources.projects import ProjectAnswer
from job_orchestra.protocol.resources.repositories import (
    BranchesAnswer,
    JobStatusAnswer,
    KnowledgeAnswer,
    RevisionAnswer,
)
from job_orchestra.website.page import Page
from job_orchestra.website.paths import project_path, status_path, with_query
from job_orchestra.website.presentation import safe_url
from job_orchestra.website.visit import Visit

_REVISIONS = 20
_MOST_BRANCHES = 200
_MOST_JOBS = 30
_LOOK_AGAIN = 2
_LOOK_AFTER_FAILURE = 10
"""Seconds until the page asks again for what is not there yet."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The runs of one job for one revision."""

    status: JobStatusAnswer
    others: str
    """Address of the list of all of them."""


@dataclass(frozen=True, slots=True)
class Row:
    revision: RevisionAnswer
    url: str | None
    """Where people look at it, if that may become a link."""
    cells: tuple[Cell | None, ...]
    """One for each job."""
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectStatusPage(Page):
    template: ClassVar[str] = "project_status.html"
    section: ClassVar[str] = "/projects"
    project: ProjectAnswer
    branch: str | None
    branches: tuple[str, ...]
    """To choose from, the default one first; as many as a page may have."""
    has_more_branches: bool
    jobs: tuple[str, ...]
    hidden_jobs: int
    rows: tuple[Row, ...]
    knowledge: KnowledgeAnswer
    newest: str | None
    """Address of the newest revisions, where this is not their page."""
    older: str | None
    again: str
    """Address of this page."""


async def show(visit: Visit) -> Response:
    identifier, branch = visit.value("project"), visit.query("branch") or None
    cursor = visit.query("cursor") or None
    project, status, branches = await asyncio.gather(
        visit.send(projects.get(identifier)),
        visit.send(projects.status(identifier, branch=branch, limit=_REVISIONS, cursor=cursor)),
        visit.send(projects.branches(identifier, limit=_MOST_BRANCHES)),
    )
    jobs = tuple(status.jobs[:_MOST_JOBS])
    address = status_path(identifier)
    page = ProjectStatusPage(
        title=f"Status of {project.display_name or project.identifier}",
        # Not while there is a branch to choose, which would be lost with each look.
        refresh=None if branches.items else _refresh_of(status.knowledge),
        project=project,
        branch=status.branch,
        branches=_names(branches, status.branch),
        has_more_branches=branches.next is not None or not branches.is_complete,
        jobs=jobs,
        hidden_jobs=len(status.jobs) - len(jobs),
        rows=tuple(
            Row(
                one.revision,
                safe_url(one.revision.url or ""),
                tuple(_cell(identifier, one.revision.identifier, job, one.jobs.get(job)) for job in jobs),
                one.is_complete,
            )
            for one in status.items
        ),
        knowledge=status.knowledge,
        newest=with_query(address, branch=branch) if cursor else None,
        older=with_query(address, branch=branch, cursor=status.next) if status.next else None,
        again=with_query(address, branch=branch, cursor=cursor),
    )
    return visit.page(page)


def _refresh_of(knowledge: KnowledgeAnswer) -> int | None:
    if knowledge.fetched_at is not None:
        return None
    return _LOOK_AGAIN if knowledge.is_fetching else _LOOK_AFTER_FAILURE


def _cell(project: str, revision: str, job: str, status: JobStatusAnswer | None) -> Cell | None:
    if status is None:
        return None
    where = f'results.revision_control.revision = "{revision}"'
    return Cell(status, with_query(f"{project_path(project)}/runs", job=job, where=where))


def _names(branches: BranchesAnswer, shown: str | None) -> tuple[str, ...]:
    ordered = sorted(branches.items, key=lambda one: (not one.is_default, one.name))
    names = [branch.name for branch in ordered]
    return tuple(names) if shown is None or shown in names else (shown, *names)
