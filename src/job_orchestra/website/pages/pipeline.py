"""What pages tell of a pipeline's run, and its graph on a page of its own, where the browser's window scrolls it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import runs
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.errors import NotFound
from job_orchestra.protocol.resources.runs import ElementAnswer, RunAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.paths import run_path
from job_orchestra.website.pictures.pipeline_graph import PipelineGraph, graph_of_run
from job_orchestra.website.pictures.timeline import Timeline, timeline_of_run
from job_orchestra.website.pipelines import conditions_of, pipeline_of
from job_orchestra.website.presentation import elapsed
from job_orchestra.website.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphPage(Page):
    template: ClassVar[str] = "graph.html"
    section: ClassVar[str] = "/runs"
    run: RunAnswer
    graph: PipelineGraph


@dataclass(frozen=True, slots=True)
class PipelineView:
    elements: tuple[ElementAnswer, ...]
    conditions: dict[str, str]
    """Of each element, by its identifier; empty where the definition cannot be read."""
    graph: PipelineGraph | None
    """None where it would have too many lines to be read, too."""
    timeline: Timeline | None
    """None before the first run."""


async def show(visit: Visit) -> Response:
    run = await visit.send(runs.get(visit.value("project"), visit.value("run")))
    view = await pipeline_view(visit, run, table=run_path(run.project, run.identifier))
    if view is None or view.graph is None:
        raise NotFound.saying(f"Run {run.identifier} of job {run.job} has no graph.")
    title = f"Graph of {run.job} {run.identifier}"
    return visit.page(GraphPage(title=title, refresh=refresh_of(visit, run), run=run, graph=view.graph))


async def pipeline_view(visit: Visit, run: RunAnswer, table: str = "") -> PipelineView | None:
    """None for a run that is none of a pipeline; `table` as for the graph."""
    if run.definition.get("type") != PipelineDefinition.type:
        return None
    elements = (await visit.send(runs.elements(run.project, run.identifier))).items
    # In a thread: other visitors need not wait for the picture of a large one.
    return await asyncio.to_thread(_view, run, elements, table, visit.now)


def refresh_of(visit: Visit, run: RunAnswer) -> int | None:
    """Often at first, when most happens; seldom for a run that takes its time; never for one that has ended."""
    if run.ended_at is not None:
        return None
    age = elapsed(run.created_at, visit.site.clock.now())
    return 1 if age < 10 else 2 if age < 60 else 5


def _view(run: RunAnswer, elements: Sequence[ElementAnswer], table: str, now: datetime) -> PipelineView:
    pipeline = pipeline_of(run.definition)
    return PipelineView(
        tuple(elements),
        {} if pipeline is None else conditions_of(pipeline),
        None if pipeline is None else graph_of_run(pipeline, elements, table),
        timeline_of_run(run, elements, now),
    )
