from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import runs
from job_orchestra.domain.errors import Invalid, NotFound
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.domain.queries.scanning import ExpressionMistake
from job_orchestra.domain.statuses import ACTIVE, RunStatus
from job_orchestra.protocol.resources import CountAnswer, RunSummaryAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.paths import with_query
from job_orchestra.website.visit import Visit

_LIMIT = 50
UNFINISHED = ",".join(ACTIVE)
FAILED = f"{RunStatus.FAILED},{RunStatus.EXCEPTION}"
STATUSES = {
    "": "any",
    UNFINISHED: "unfinished",
    FAILED: "failed or exception",
    **{status.value: status.value for status in RunStatus},
}
"""Values of the filter, and how they are called."""


@dataclass(frozen=True, slots=True)
class Filter:
    """As typed; an empty text filters nothing."""

    project: str = ""
    job: str = ""
    status: str = ""
    worker: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """An expression with a mistake, divided at its place."""

    before: str
    found: str
    after: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage(Page):
    template: ClassVar[str] = "runs.html"
    section: ClassVar[str] = "/runs"
    project: str | None
    """The one in the path, if these are its runs only."""
    filter: Filter
    statuses: dict[str, str]
    mistakes: tuple[str, ...] = ()
    where: Marked | None = None
    runs: tuple[RunSummaryAnswer, ...] = ()
    count: CountAnswer | None = None
    """Of all pages together, where it is known."""
    first: str | None = None
    """Address of the newest runs, where this is not their page."""
    next: str | None = None
    """Address of the page with older runs."""
    looked_through: int | None = None
    """How many runs were looked at, where they have to be looked at one by one."""
    looked_until: str | None = None


async def show_all(visit: Visit) -> Response:
    """Of all projects, or of the one in the path."""
    project: str | None = visit.request.path_params.get("project")
    filters = Filter(
        project or visit.query("project"),
        visit.query("job"),
        visit.query("status"),
        visit.query("worker"),
        visit.query("where"),
    )
    title = f"Runs of {project}" if project else "Runs"
    cursor = visit.query("cursor")
    try:
        found = await visit.send(
            runs.list_all(
                filters.project or None,
                job=filters.job or None,
                status=filters.status or None,
                worker=filters.worker or None,
                where=filters.where or None,
                count=True,
                limit=_LIMIT,
                cursor=cursor or None,
            )
        )
    except (Invalid, NotFound) as error:
        if isinstance(error, NotFound) and project:
            raise
        marked = _marked(filters.where)
        page = RunsPage(
            title=title,
            project=project,
            filter=filters,
            statuses=STATUSES,
            mistakes=_mistakes(error, but="where" if marked else None),
            where=marked,
        )
        return visit.page(page, 422)
    page = RunsPage(
        title=title,
        project=project,
        filter=filters,
        statuses=STATUSES,
        runs=tuple(found.items),
        count=found.count,
        first=_address(visit, filters, None) if cursor else None,
        next=_address(visit, filters, found.next) if found.next else None,
        looked_through=found.looked_through,
        looked_until=found.looked_until,
    )
    return visit.page(page)


def _mistakes(error: Invalid | NotFound, but: str | None) -> tuple[str, ...]:
    """Without those of the field `but`, which are told beside it."""
    if isinstance(error, NotFound):
        return (error.message,)
    return tuple(str(mistake) for mistake in error.mistakes if mistake.place != but)


def _marked(where: str) -> Marked | None:
    """None if nothing is asked for, or nothing is wrong with it."""
    if not where:
        return None
    try:
        parse_expression(where)
    except ExpressionMistake as mistake:
        end = mistake.position + mistake.length
        return Marked(where[: mistake.position], where[mistake.position : end], where[end:], str(mistake))
    return None


def _address(visit: Visit, filters: Filter, cursor: str | None) -> str:
    project = "" if "project" in visit.request.path_params else filters.project
    return with_query(
        visit.request.url.path,
        project=project,
        job=filters.job,
        status=filters.status,
        worker=filters.worker,
        where=filters.where,
        cursor=cursor,
    )
