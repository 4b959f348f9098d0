from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup
from starlette.responses import Response

from job_orchestra.client.call import Call
from job_orchestra.client.calls import runs
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.git_names import FULL_REVISION
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.runs import RunAnswer, RunSummaryAnswer, WhyAnswer
from job_orchestra.website.ansi import AnsiRenderer
from job_orchestra.website.commands import CommandRow, command_rows
from job_orchestra.website.dispatch import Handler
from job_orchestra.website.page import Page
from job_orchestra.website.pages.pipeline import PipelineView, pipeline_view, refresh_of
from job_orchestra.website.paths import run_path
from job_orchestra.website.presentation import safe_url
from job_orchestra.website.responses import download, redirect
from job_orchestra.website.trees import Tree, tree_of
from job_orchestra.website.visit import Visit

_MOST_EVENTS = 1000
_MOST_CHILDREN = 15
_TAIL_BYTES = 4096
_TAIL_LINES = 20


@dataclass(frozen=True, slots=True)
class RunRevision:
    """What the run's results say of the revision that it has to do with."""

    identifier: str
    branch: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage(Page):
    template: ClassVar[str] = "run.html"
    section: ClassVar[str] = "/runs"
    run: RunAnswer
    why: WhyAnswer | None
    """Only while it waits."""
    commands: tuple[CommandRow, ...]
    pipeline: PipelineView | None
    children: tuple[RunSummaryAnswer, ...]
    """The last runs that its commands triggered."""
    parameters: Tree
    results: Tree
    revision: RunRevision | None
    log_tail: Markup
    is_log_cut: bool
    """Whether the log has more than its tail."""
    is_log_short: bool
    """Whether less of it is stored than the run ended with."""

    @property
    def is_waiting(self) -> bool:
        return self.run.status == RunStatus.PENDING

    @property
    def is_running(self) -> bool:
        return self.run.status == RunStatus.RUNNING


async def show(visit: Visit) -> Response:
    project, identifier = visit.value("project"), visit.value("run")
    run = await visit.send(runs.get(project, identifier))
    tail_start = max(0, run.log.size - _TAIL_BYTES)
    why, pipeline, children, events, tail = await asyncio.gather(
        _why(visit, run),
        pipeline_view(visit, run),
        _children(visit, run),
        visit.send(runs.events(project, identifier, limit=_MOST_EVENTS)),
        visit.client.log(project, identifier, start=tail_start, end=run.log.size),
    )
    lines = _last_lines(tail, tail_start > 0)
    page = RunPage(
        title=f"{run.job} {run.identifier}",
        refresh=refresh_of(visit, run),
        run=run,
        why=why,
        commands=tuple(command_rows(events.items)),
        pipeline=pipeline,
        children=children,
        parameters=tree_of(run.parameters),
        results=tree_of(run.results),
        revision=_revision_of(run),
        log_tail=Markup(AnsiRenderer().feed(lines, is_last=True)),  # noqa: S704 - the renderer escapes
        is_log_cut=len(lines) < run.log.size,
        is_log_short=run.ended_at is not None and len(tail) < run.log.size - tail_start,
    )
    return visit.page(page)


async def results(visit: Visit) -> Response:
    project, identifier = visit.value("project"), visit.value("run")
    value = await visit.send(runs.results(project, identifier))
    content = json.dumps(value, indent=2, ensure_ascii=False).encode()
    return download(content, "application/json", f"{project}.{identifier}.results.json")


async def archive(visit: Visit) -> Response:
    project, identifier = visit.value("project"), visit.value("run")
    # Asked first, so that what does not exist is a page and not a broken download.
    await visit.send(runs.get(project, identifier))
    return download(visit.client.archive(project, identifier), "application/zip", f"{project}.{identifier}.zip")


async def retry(visit: Visit) -> Response:
    """To the page of the new run."""
    keep = visit.form.get("keep") == "succeeded"
    run = await visit.send(runs.retry(visit.value("project"), visit.value("run"), keep_succeeded=keep))
    return redirect(run_path(run.project, run.identifier))


def _act(call: Callable[[str, str], Call[RunAnswer]]) -> Handler:
    async def handler(visit: Visit) -> Response:
        project, run = visit.value("project"), visit.value("run")
        await visit.send(call(project, run))
        return redirect(run_path(project, run))

    return handler


cancel = _act(runs.cancel)
abort = _act(runs.abort)
pin = _act(runs.pin)
unpin = _act(runs.unpin)


async def _children(visit: Visit, run: RunAnswer) -> tuple[RunSummaryAnswer, ...]:
    """Of a pipeline none: its elements tell of them."""
    if run.definition.get("type") == PipelineDefinition.type:
        return ()
    call = runs.list_all(run.project, source="run", source_identifier=run.identifier, limit=_MOST_CHILDREN)
    return tuple((await visit.send(call)).items)


def _revision_of(run: RunAnswer) -> RunRevision | None:
    control = run.results.get("revision_control")
    if not isinstance(control, dict):
        return None
    identifier, branch, url = (
        value if isinstance(value := control.get(name), str) else "" for name in ("revision", "branch", "url")
    )
    return RunRevision(identifier, branch, safe_url(url)) if FULL_REVISION.fullmatch(identifier) else None


async def _why(visit: Visit, run: RunAnswer) -> WhyAnswer | None:
    if run.status != RunStatus.PENDING:
        return None
    return await visit.send(runs.why(run.project, run.identifier))


def _last_lines(data: bytes, is_cut: bool) -> bytes:
    """At most so many lines; the first is left out where it is only a part of one."""
    lines = data.splitlines(keepends=True)
    if is_cut and len(lines) > 1:
        lines = lines[1:]
    return b"".join(lines[-_TAIL_LINES:])
