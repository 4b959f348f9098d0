from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.call import Call
from job_orchestra.client.calls import runs
from job_orchestra.domain.errors import Invalid, NotFound
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.domain.queries.scanning import ExpressionMistake
from job_orchestra.domain.runs import SourceKind
from job_orchestra.domain.statuses import ACTIVE, RunStatus
from job_orchestra.protocol.resources.runs import CountAnswer, RunPageAnswer, RunSummaryAnswer
from job_orchestra.website.mistakes import by_field
from job_orchestra.website.page import Page
from job_orchestra.website.paths import with_query
from job_orchestra.website.typed_moments import typed_moments
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
SOURCES = {"": "any", **{kind.value: kind.value for kind in SourceKind}}
ORDERS = {"": "newest first", "created_at": "oldest first"}
_NAMES = {
    "source_identifier": "by",
    "created_after": "since",
    "created_before": "until",
    "order_by": "order",
}
"""Of what the service calls otherwise, the field of the form."""


@dataclass(frozen=True, slots=True)
class Filter:
    """As typed; an empty text filters nothing."""

    project: str = ""
    job: str = ""
    status: str = ""
    worker: str = ""
    source: str = ""
    by: str = ""
    """Which user, schedule, run or webhook."""
    since: str = ""
    until: str = ""
    """Dates as the visitor's clocks show them."""
    order: str = ""
    where: str = ""

    @property
    def has_more(self) -> bool:
        """Whether one of those is used that stand aside."""
        return bool(self.source or self.by or self.since or self.until or self.order)


FILTERS = tuple(one.name for one in fields(Filter))


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
    statuses: dict[str, str] = field(default_factory=lambda: STATUSES)
    sources: dict[str, str] = field(default_factory=lambda: SOURCES)
    orders: dict[str, str] = field(default_factory=lambda: ORDERS)
    mistakes: dict[str, str] = field(default_factory=dict[str, str])
    """By field of the form, but for `where`."""
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
    filters = Filter(**{name: visit.query(name) for name in FILTERS})
    if project:
        filters = replace(filters, project=project)
    title = f"Runs of {project}" if project else "Runs"
    cursor = visit.query("cursor")
    try:
        found = await visit.send(_call(visit, filters, cursor))
    except (Invalid, NotFound) as error:
        if isinstance(error, NotFound) and project:
            raise
        marked, mistakes = _marked(filters.where), by_field(error, FILTERS, _NAMES)
        if marked is not None:
            mistakes.pop("where", None)
        page = RunsPage(
            title=title,
            project=project,
            filter=filters,
            mistakes=mistakes,
            where=marked,
        )
        return visit.page(page, 422)
    page = RunsPage(
        title=title,
        project=project,
        filter=filters,
        runs=tuple(found.items),
        count=found.count,
        first=_address(visit, filters, None) if cursor else None,
        next=_address(visit, filters, found.next) if found.next else None,
        looked_through=found.looked_through,
        looked_until=found.looked_until,
    )
    return visit.page(page)


def _call(visit: Visit, filters: Filter, cursor: str) -> Call[RunPageAnswer]:
    """Invalid if a date is none."""
    since, until = typed_moments(visit, since=filters.since, until=filters.until)
    return runs.list_all(
        filters.project or None,
        job=filters.job or None,
        status=filters.status or None,
        worker=filters.worker or None,
        source=filters.source or None,
        source_identifier=filters.by or None,
        created_after=since,
        created_before=until,
        where=filters.where or None,
        order_by=filters.order or None,
        count=True,
        limit=_LIMIT,
        cursor=cursor or None,
    )


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
    given = asdict(filters)
    if "project" in visit.request.path_params:
        del given["project"]
    return with_query(visit.request.url.path, **given, cursor=cursor)
