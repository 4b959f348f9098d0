from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import jobs, projects, runs, schedules
from job_orchestra.domain.links import is_link
from job_orchestra.protocol.resources.projects import JobAnswer, ProjectAnswer, ScheduleAnswer
from job_orchestra.protocol.resources.runs import RunSummaryAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.visit import Visit

_MOST = 200
_LAST_RUNS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectsPage(Page):
    template: ClassVar[str] = "projects.html"
    section: ClassVar[str] = "/projects"
    projects: tuple[ProjectAnswer, ...]
    next: str | None
    """Cursor of the next page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage(Page):
    template: ClassVar[str] = "project.html"
    section: ClassVar[str] = "/projects"
    project: ProjectAnswer
    services: tuple[tuple[str, str], ...]
    """Names and addresses, those that may become links."""
    jobs: tuple[JobAnswer, ...]
    next_jobs: str | None
    schedules: tuple[ScheduleAnswer, ...]
    runs: tuple[RunSummaryAnswer, ...]


async def show_all(visit: Visit) -> Response:
    found = await visit.send(projects.list_all(limit=_MOST, cursor=visit.query("cursor") or None))
    return visit.page(ProjectsPage(title="Projects", projects=tuple(found.items), next=found.next))


async def show(visit: Visit) -> Response:
    identifier = visit.value("project")
    project, all_jobs, all_schedules, last_runs = await asyncio.gather(
        visit.send(projects.get(identifier)),
        visit.send(jobs.list_all(identifier, limit=_MOST, cursor=visit.query("cursor") or None)),
        visit.send(schedules.list_all(identifier, limit=_MOST)),
        visit.send(runs.list_all(identifier, limit=_LAST_RUNS)),
    )
    page = ProjectPage(
        title=project.display_name or project.identifier,
        project=project,
        services=tuple((name, url) for name, url in project.services.items() if is_link(url)),
        jobs=tuple(all_jobs.items),
        next_jobs=all_jobs.next,
        schedules=tuple(all_schedules.items),
        runs=tuple(last_runs.items),
    )
    return visit.page(page)
