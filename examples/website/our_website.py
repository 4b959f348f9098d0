"""The composition of our website: one page more, with an entry in the navigation, and a name for templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import runs
from job_orchestra.composition.website import WebsiteComposition
from job_orchestra.domain.roles import Permission
from job_orchestra.protocol.resources.runs import RunSummaryAnswer
from job_orchestra.website.dispatch import PageRoute
from job_orchestra.website.page import NavigationEntry, Page
from job_orchestra.website.visit import Visit

_LOOKED_THROUGH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestPage(Page):
    """What its template shows, and nothing else."""

    template: ClassVar[str] = "latest.html"
    section: ClassVar[str] = "/latest"
    runs: tuple[RunSummaryAnswer, ...]


async def show_latest(visit: Visit) -> Response:
    """The newest run of each job that succeeded; the client asks as who visits the page."""
    found = await visit.send(runs.list_all(None, status="succeeded", limit=_LOOKED_THROUGH))
    newest: dict[tuple[str, str], RunSummaryAnswer] = {}
    for run in found.items:
        newest.setdefault((run.project, run.job), run)
    return visit.page(LatestPage(title="Latest builds", runs=tuple(newest.values())))


def share_of(part: float, whole: float) -> str:
    """In per cent, for templates; none of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "none"


class OurWebsite(WebsiteComposition):
    @cached_property
    def navigation(self) -> Sequence[NavigationEntry]:
        return (*super().navigation, NavigationEntry("Latest", "/latest"))

    @cached_property
    def routes(self) -> Sequence[PageRoute]:
        return (*super().routes, PageRoute("GET", "/latest", show_latest, Permission.READ, query=()))

    @cached_property
    def template_names(self) -> Mapping[str, object]:
        return {"share_of": share_of}
