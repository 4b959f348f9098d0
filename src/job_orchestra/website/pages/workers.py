from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.call import Call
from job_orchestra.client.calls import administration, runs, workers
from job_orchestra.domain.roles import Permission
from job_orchestra.protocol.resources.runs import RunSummaryAnswer
from job_orchestra.protocol.resources.workers import WorkerAnswer
from job_orchestra.website.dispatch import Handler
from job_orchestra.website.page import Page
from job_orchestra.website.pages.runs import UNFINISHED
from job_orchestra.website.paths import worker_path
from job_orchestra.website.pictures.load import DAY_HOURS, STEP_MINUTES, Load, load_of
from job_orchestra.website.responses import redirect
from job_orchestra.website.trees import Tree, tree_of
from job_orchestra.website.visit import Visit

_MOST = 100
_LAST_RUNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersPage(Page):
    template: ClassVar[str] = "workers.html"
    section: ClassVar[str] = "/workers"
    workers: tuple[WorkerAnswer, ...]
    next: str | None
    load: Load | None = None
    """On the first page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPage(Page):
    template: ClassVar[str] = "worker.html"
    section: ClassVar[str] = "/workers"
    worker: WorkerAnswer
    is_deletable: bool
    """By this visitor, as far as its runs allow it."""
    properties: Tree
    active: tuple[RunSummaryAnswer, ...]
    runs: tuple[RunSummaryAnswer, ...]


async def show_all(visit: Visit) -> Response:
    cursor = visit.query("cursor")
    found, load = await asyncio.gather(
        visit.send(workers.list_all(limit=_MOST, cursor=cursor or None)), last_day(visit) if not cursor else _nothing()
    )
    return visit.page(WorkersPage(title="Workers", workers=tuple(found.items), next=found.next, load=load))


async def last_day(visit: Visit) -> Load | None:
    """What waited and ran; None where nothing was measured."""
    measured = await visit.send(administration.measures(hours=DAY_HOURS, step=STEP_MINUTES))
    return load_of(measured, visit.now)


async def _nothing() -> None:
    return None


async def show(visit: Visit) -> Response:
    identifier = visit.value("worker")
    worker, active, last_runs = await asyncio.gather(
        visit.send(workers.get(identifier)),
        visit.send(runs.list_all(None, worker=identifier, status=UNFINISHED, limit=_MOST)),
        visit.send(runs.list_all(None, worker=identifier, limit=_LAST_RUNS)),
    )
    page = WorkerPage(
        title=worker.display_name or worker.identifier,
        worker=worker,
        is_deletable=visit.may(Permission.DELETE_WORKER) and not worker.is_enabled and not worker.is_connected,
        properties=tree_of(worker.properties),
        active=tuple(active.items),
        runs=tuple(run for run in last_runs.items if run.ended_at is not None),
        refresh=5 if active.items else None,
    )
    return visit.page(page)


async def delete(visit: Visit) -> Response:
    lose_runs = visit.form.get("lose_runs") == "yes"
    await visit.send(workers.delete(visit.value("worker"), lose_runs=lose_runs))
    return redirect("/workers")


def _switch(call: Callable[[str], Call[WorkerAnswer]]) -> Handler:
    async def handler(visit: Visit) -> Response:
        worker = visit.value("worker")
        await visit.send(call(worker))
        return redirect(worker_path(worker))

    return handler


enable = _switch(workers.enable)
disable = _switch(workers.disable)
drain = _switch(workers.drain)
disconnect = _switch(workers.disconnect)
