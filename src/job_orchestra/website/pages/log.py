"""The log of a run. While the run goes on the page stays open, and each line appears when it is written."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.attempts import as_attempt
from job_orchestra.client.calls import runs
from job_orchestra.domain.errors import Invalid, NotFound, OrchestraError
from job_orchestra.protocol.resources import RunAnswer
from job_orchestra.website.ansi import AnsiRenderer
from job_orchestra.website.following import Stopping, until_stopped
from job_orchestra.website.log_window import STEP, LogWindow, last_window, split_window, window_at
from job_orchestra.website.page import Page
from job_orchestra.website.paths import run_path, with_query
from job_orchestra.website.responses import download, html_stream
from job_orchestra.website.visit import Visit

_logger = logging.getLogger(__name__)

_MOST_FOLLOWED = 2 * 1024 * 1024
"""Bytes after which a growing page ends and leads to a new one: browsers become slow with pages without end."""
_PATIENCE = 60.0
"""Seconds for which the page waits for a service that has gone."""
_RAW_PART = 1024 * 1024
_CONTENT_MARK = "<!--content-->"
_END_MARK = "<!--end-->"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage(Page):
    template: ClassVar[str] = "log.html"
    section: ClassVar[str] = "/runs"
    run: RunAnswer
    """As the attempt tells it whose log this is."""
    past: int | None
    """Its number, if another attempt has followed."""
    window: LogWindow
    first: str | None
    earlier: str | None
    later: str | None
    last: str | None
    content_mark: str = _CONTENT_MARK
    end_mark: str = _END_MARK
    """Where the template leaves room for the log, and for what is known when it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEnd(Page):
    """What stands below the log, when it is known how that ended."""

    template: ClassVar[str] = "log_end.html"
    run: RunAnswer | None
    """Once it, or this attempt of it, has ended."""
    notice: str = ""
    following: str | None = None
    """Where to go on."""
    is_forwarded: bool = False
    """Whether the browser goes there by itself."""


async def show(visit: Visit) -> Response:
    project, identifier = visit.value("project"), visit.value("run")
    offset = _offset(visit.query("offset"))
    present = await visit.send(runs.get(project, identifier))
    run = _attempt_of(present, visit.query("attempt"))
    past = run.attempt if run.attempt < present.attempt else None
    window = last_window(run.log.size) if offset is None else window_at(offset, run.log.size)
    before, rest = visit.html(_page(run, window, past)).split(_CONTENT_MARK, 1)
    between, after = rest.split(_END_MARK, 1)

    async def parts() -> AsyncIterator[str]:
        yield before
        try:
            async for part in _content(visit, run, window):
                yield part
            end = await _end(visit, run, window, past)
        except Stopping:
            end = LogEnd(title="", run=None, notice="The website is being restarted.", following=_address(run))
        except _Full:
            notice = "This page is full, and goes on with a new one."
            end = LogEnd(title="", run=None, notice=notice, following=_address(run), is_forwarded=True)
        except OrchestraError as error:
            end = LogEnd(title="", run=None, notice=error.message, following=_address(run))
        except Exception:  # the page has begun: it can only end with words, and the log gets the details
            _logger.exception("The log page of run %s broke off", run.identifier)
            end = LogEnd(
                title="", run=None, notice="A mistake in the website ended this page.", following=_address(run)
            )
        yield between + visit.site.parts.templates.render_part(LogEnd.template, end) + after

    return html_stream(visit.request, parts())


async def raw(visit: Visit) -> Response:
    """The stored bytes as they are; `?download=yes` saves them."""
    project, identifier = visit.value("project"), visit.value("run")
    present = await visit.send(runs.get(project, identifier))
    run = _attempt_of(present, visit.query("attempt"))

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, run.log.size, _RAW_PART):
            end = min(start + _RAW_PART, run.log.size)
            yield await visit.client.log(project, identifier, run.attempt, start, end)

    of_attempt = f".{run.attempt}" if run.attempt < present.attempt else ""
    name = f"{project}.{identifier}{of_attempt}.log" if visit.query("download") else None
    return download(parts(), "text/plain; charset=utf-8", name)


async def late_raw(visit: Visit) -> Response:
    """The stored bytes of a late report's log, as they are."""
    project, identifier, attempt = visit.value("project"), visit.value("run"), visit.value("attempt")
    run = await visit.send(runs.get(project, identifier))
    report = next((one for one in run.late_reports if str(one.attempt) == attempt), None)
    if report is None:
        raise NotFound("late report", f"{identifier}/{attempt}")
    number, size = report.attempt, report.log.size

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, size, _RAW_PART):
            yield await visit.client.late_log(project, identifier, number, start, min(start + _RAW_PART, size))

    name = f"{project}.{identifier}.{number}.late.log" if visit.query("download") else None
    return download(parts(), "text/plain; charset=utf-8", name)


class _Full(Exception):
    pass


async def _content(visit: Visit, run: RunAnswer, window: LogWindow) -> AsyncIterator[str]:
    """The window's part of the log, and for the last window of a run that goes on, what comes."""
    read_until = run.log.size if window.read_until is None else min(window.read_until, run.log.size)
    data = await visit.client.log(run.project, run.identifier, run.attempt, window.read_from, read_until)
    found = split_window(window, data)
    renderer = AnsiRenderer()
    renderer.feed(found.before)
    yield renderer.feed(found.shown, is_last=window.end is not None)
    if window.end is None:
        size = 0
        if run.ended_at is None:
            chunks = visit.client.follow_log(run.project, run.identifier, found.end, _PATIENCE, run.attempt)
            async for chunk in until_stopped(chunks, visit.site.stopping):
                yield renderer.feed(chunk)
                size += len(chunk)
                if size >= _MOST_FOLLOWED:
                    raise _Full
        yield renderer.feed(b"", is_last=True)


async def _end(visit: Visit, run: RunAnswer, window: LogWindow, past: int | None) -> LogEnd:
    if window.end is not None:
        return LogEnd(title="", run=None, following=_address(run, past, window.end))
    if run.ended_at is None:
        present = await visit.send(runs.get(run.project, run.identifier))
        if present.attempt != run.attempt:
            return _retried_end(present, run.attempt)
        run = present
    return LogEnd(title="", run=run)


def _retried_end(run: RunAnswer, attempt: int) -> LogEnd:
    """The browser goes on with the log of the next attempt."""
    past = as_attempt(run, attempt)
    ended = "is over." if past.reason is None else f"{past.status}: {past.reason.sentence}"
    notice = f"Attempt {attempt} {ended} The next one follows."
    return LogEnd(title="", run=None, notice=notice, following=_address(run), is_forwarded=True)


def _attempt_of(run: RunAnswer, text: str) -> RunAnswer:
    """As the attempt tells it that stands in the query; the present one where there is none."""
    if not text:
        return run
    if text.isascii() and text.isdigit() and len(text) < 10:
        return as_attempt(run, int(text))
    raise Invalid.at("attempt", f"{text[:40]!r} is no number of an attempt.")


def _page(run: RunAnswer, window: LogWindow, past: int | None) -> LogPage:
    return LogPage(
        title=f"Log of {run.job} {run.identifier}",
        run=run,
        past=past,
        window=window,
        first=_address(run, past, 0) if window.start else None,
        earlier=_address(run, past, max(0, window.start - STEP)) if window.start else None,
        later=None if window.end is None else _address(run, past, window.end),
        last=None if window.end is None else _address(run, past),
    )


def _address(run: RunAnswer, past: int | None = None, offset: int | None = None) -> str:
    """Of the log of a past attempt, or of whichever is the present one then."""
    return with_query(f"{run_path(run.project, run.identifier)}/log", attempt=past, offset=offset)


def _offset(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    raise Invalid.at("offset", f"{text[:40]!r} is no number of bytes.")
