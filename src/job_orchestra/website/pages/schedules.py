from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import schedules
from job_orchestra.domain.cron import time_zone
from job_orchestra.domain.errors import Conflict
from job_orchestra.protocol.resources.projects import ScheduleAnswer, TickAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.paths import schedule_path
from job_orchestra.website.presentation import parse_moment
from job_orchestra.website.responses import redirect
from job_orchestra.website.visit import Visit

_NEXT_TICKS = 5
_MOST = 50


@dataclass(frozen=True, slots=True)
class NextTick:
    due: str
    local_time: str
    """As clocks show it where the schedule belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePage(Page):
    template: ClassVar[str] = "schedule.html"
    section: ClassVar[str] = "/projects"
    schedule: ScheduleAnswer
    next_ticks: tuple[NextTick, ...]
    """None of one that cannot tick; of one that is disabled, those that it would have."""
    ticks: tuple[TickAnswer, ...]
    """Newest first."""
    older: str | None
    """Cursor of the page of older ones."""


async def show(visit: Visit) -> Response:
    project, identifier = visit.value("project"), visit.value("schedule")
    schedule, ticks, preview = await asyncio.gather(
        visit.send(schedules.get(project, identifier)),
        visit.send(schedules.ticks(project, identifier, limit=_MOST, cursor=visit.query("cursor") or None)),
        _preview(visit, project, identifier),
    )
    page = SchedulePage(
        title=schedule.identifier,
        schedule=schedule,
        next_ticks=tuple(_next_ticks(preview, schedule.time_zone)),
        ticks=tuple(ticks.items),
        older=ticks.next,
    )
    return visit.page(page)


async def enable(visit: Visit) -> Response:
    schedule = await visit.send(schedules.enable(visit.value("project"), visit.value("schedule")))
    return redirect(schedule_path(schedule.project, schedule.identifier))


async def disable(visit: Visit) -> Response:
    schedule = await visit.send(schedules.disable(visit.value("project"), visit.value("schedule")))
    return redirect(schedule_path(schedule.project, schedule.identifier))


async def _preview(visit: Visit, project: str, schedule: str) -> list[str]:
    try:
        return (await visit.send(schedules.preview(project, schedule, limit=_NEXT_TICKS))).ticks
    except Conflict:  # it cannot tick; the schedule itself says why
        return []


def _next_ticks(ticks: Iterable[str], zone: str) -> Iterator[NextTick]:
    for due in ticks:
        yield NextTick(due, f"{parse_moment(due).astimezone(time_zone(zone)):%a %Y-%m-%d %H:%M %Z}")
