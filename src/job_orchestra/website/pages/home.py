from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import runs
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources import RunSummaryAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.visit import Visit

_MOST = 20
_REFRESH = 5


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


async def show(visit: Visit) -> Response:
    running, waiting, failed, exceptions = await asyncio.gather(
        *(
            _runs(visit, status)
            for status in (RunStatus.RUNNING, RunStatus.PENDING, RunStatus.FAILED, RunStatus.EXCEPTION)
        )
    )
    # Identifiers of runs sort by the time of their creation.
    lately = sorted((*failed.runs, *exceptions.runs), key=lambda run: run.identifier, reverse=True)
    has_more = failed.has_more or exceptions.has_more or len(lately) > _MOST
    page = HomePage(
        title="Home",
        running=running,
        waiting=waiting,
        failed=RunList(tuple(lately[:_MOST]), has_more),
        refresh=_REFRESH,
    )
    return visit.page(page)


async def _runs(visit: Visit, status: RunStatus) -> RunList:
    page = await visit.send(runs.list_all(None, status=status, limit=_MOST))
    return RunList(tuple(page.items), page.next is not None)
