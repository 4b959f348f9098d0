from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import runs
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.runs import RunSummaryAnswer
from job_orchestra.website.external_services import ServiceStatus
from job_orchestra.website.page import Page
from job_orchestra.website.pages.runs import FAILED
from job_orchestra.website.visit import Visit

_MOST = 20
_OFTEN = 5
_SELDOM = 30
"""Seconds, while nothing on the page is unfinished."""


@dataclass(frozen=True, slots=True)
class RunList:
    """The first runs of a kind, and whether there are more."""

    runs: tuple[RunSummaryAnswer, ...]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage(Page):
    template: ClassVar[str] = "home.html"
    section: ClassVar[str] = "/"
    running: RunList
    waiting: RunList
    failed: RunList
    external_services: tuple[ServiceStatus, ...]


async def show(visit: Visit) -> Response:
    running, waiting, failed = await asyncio.gather(
        _runs(visit, RunStatus.RUNNING), _runs(visit, RunStatus.PENDING), _runs(visit, FAILED)
    )
    page = HomePage(
        title="Home",
        running=running,
        waiting=waiting,
        failed=failed,
        external_services=visit.site.external_services.statuses,
        refresh=_OFTEN if running.runs or waiting.runs else _SELDOM,
    )
    return visit.page(page)


async def _runs(visit: Visit, status: str) -> RunList:
    page = await visit.send(runs.list_all(None, status=status, limit=_MOST))
    return RunList(tuple(page.items), page.next is not None)
