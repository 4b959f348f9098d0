"""What a run was carried out with, on a page of its own: it is long, and never changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import runs
from job_orchestra.protocol.resources.runs import RunAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.trees import Tree, tree_of
from job_orchestra.website.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionPage(Page):
    template: ClassVar[str] = "definition.html"
    section: ClassVar[str] = "/runs"
    run: RunAnswer
    definition: Tree
    properties: Tree
    """Those that it needs of a worker."""


async def show(visit: Visit) -> Response:
    run = await visit.send(runs.get(visit.value("project"), visit.value("run")))
    page = DefinitionPage(
        title=f"Definition of {run.job} {run.identifier}",
        run=run,
        definition=tree_of(run.definition),
        properties=tree_of(run.properties),
    )
    return visit.page(page)
