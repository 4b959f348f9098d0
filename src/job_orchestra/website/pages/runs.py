from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import projects, runs
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources import RunSummaryAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.paths import with_query
from job_orchestra.website.visit import Visit

_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """As typed; an empty text filters nothing."""

    project: str = ""
    job: str = ""
    status: str = ""
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage(Page):
    template: ClassVar[str] = "runs.html"
    section: ClassVar[str] = "/runs"
    filter: Filter
    statuses: tuple[str, ...]
    runs: tuple[RunSummaryAnswer, ...]
    first: str | None
    """Address of the newest runs, where this is not their page."""
    next: str | None
    """Address of the page with older runs."""


async def show_all(visit: Visit) -> Response:
    """Of all projects, or of the one in the path."""
    project = visit.request.path_params.get("project", "")
    # A form of filters for all projects has a field for the project, too: there it becomes part of the path.
    filters = Filter(
        project=project or visit.query("project"),
        job=visit.query("job"),
        status=visit.query("status"),
        worker=visit.query("worker"),
    )
    cursor = visit.query("cursor")
    wanted = runs.list_all(
        filters.project or None,
        job=filters.job or None,
        status=filters.status or None,
        worker=filters.worker or None,
        limit=_LIMIT,
        cursor=cursor or None,
    )
    if project:
        # So that a project that does not exist is an error, and not one without runs.
        found, _ = await asyncio.gather(visit.send(wanted), visit.send(projects.get(project)))
    else:
        found = await visit.send(wanted)
    page = RunsPage(
        title=f"Runs of {project}" if project else "Runs",
        filter=filters,
        statuses=tuple(RunStatus),
        runs=tuple(found.items),
        first=_address(visit, filters, None) if cursor else None,
        next=_address(visit, filters, found.next) if found.next else None,
    )
    return visit.page(page)


def _address(visit: Visit, filters: Filter, cursor: str | None) -> str:
    path = visit.request.url.path
    project = "" if "project" in visit.request.path_params else filters.project
    return with_query(
        path, project=project, job=filters.job, status=filters.status, worker=filters.worker, cursor=cursor
    )
