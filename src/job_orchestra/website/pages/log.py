"""The log of a run. While the run goes on the page stays open, and each line appears when it is written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.attempts import as_attempt
from job_orchestra.client.calls import runs
from job_orchestra.domain.errors import Invalid, NotFound, OrchestraError, Unavailable
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.logs import LogHitAnswer
from job_orchestra.protocol.resources.runs import RunAnswer
from job_orchestra.website.following import Stopping, beside, until_stopped
from job_orchestra.website.log_view import LogView, line_offset, rendered, time_html, view_log
from job_orchestra.website.log_window import STEP, LogWindow
from job_orchestra.website.page import Page
from job_orchestra.website.paths import run_path, with_query
from job_orchestra.website.responses import download, html_stream, redirect
from job_orchestra.website.visit import Visit

_logger = logging.getLogger(__name__)

_MOST_FOLLOWED = 2 * 1024 * 1024
"""Bytes after which a growing page ends and leads to a new one: browsers become slow with pages without end."""
_MOST_SENT = 4 * 1024 * 1024
"""Characters of HTML after which it ends, too: many short lines, or a long one that is overwritten, become many."""
_PATIENCE = 60.0
"""Seconds for which the page waits for a service that has gone."""
_RAW_PART = 1024 * 1024
_BETWEEN_STATES = 0.5
"""Seconds for which a line that is overwritten again and again stays as it is shown."""
_MOST_REPLACED = 2000
"""States after which the page is full: each one stays in it, hidden by the next one."""
_BETWEEN_TIMES = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BETWEEN_TRIES = 1.0
BETWEEN_BEATS = 20.0
_BEAT = "<!---->"
_MOST_HITS = 100
"""On a page."""
_MOST_ANSWERS = 6
"""That are asked for to fill a page; the service takes half a second for each."""
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
    is_numbered: bool
    """Whether it is known which lines these are."""
    is_missed: bool
    """Whether a line was asked for that cannot be found yet."""
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
    is_news: bool = False
    """Whether the top of the page says something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatus(Page):
    """What takes the place of the status at the top of the page."""

    template: ClassVar[str] = "log_status.html"
    run: RunAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSearchPage(Page):
    template: ClassVar[str] = "log_search.html"
    section: ClassVar[str] = "/runs"
    run: RunAnswer
    past: int | None
    text: str
    is_exact: bool
    """Whether capital letters are others than small ones."""
    offset: int
    """Where the search began."""
    hits: tuple[tuple[LogHitAnswer, str], ...]
    """Each with the address of its line."""
    following: int | None
    """Up to which byte was searched, if that is not the end."""
    more: str | None
    mistake: str


async def show(visit: Visit) -> Response:
    project, identifier = visit.value("project"), visit.value("run")
    offset, line, byte = _number(visit, "offset"), _number(visit, "line"), _number(visit, "byte")
    present = await visit.send(runs.get(project, identifier))
    run = _attempt_of(present, visit.query("attempt"))
    past = run.attempt if run.attempt < present.attempt else None
    if (wanted := _number(visit, "go")) is not None:
        return redirect(f"{_address(run, past, line=wanted)}#L{wanted}")
    if line is not None:
        byte = await line_offset(visit, run, line)
    is_missed = line is not None and byte is None
    view = await view_log(visit, run, _line_address(past), offset, byte)
    before, rest = visit.html(_page(run, view, past, is_missed)).split(_CONTENT_MARK, 1)
    between, after = rest.split(_END_MARK, 1)

    async def parts() -> AsyncIterator[str]:
        yield before
        try:
            async for part in _content(visit, run, view):
                yield part
            end = await _end(visit, run, view, past)
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
        yield view.renderer.feed(b"", is_last=True)
        yield between + visit.site.parts.templates.render_part(LogEnd.template, end) + after

    return html_stream(visit.request, parts())


async def search(visit: Visit) -> Response:
    """Lines with a text in them. What takes too long for one page goes on with the next one."""
    project, identifier, text = visit.value("project"), visit.value("run"), visit.query("text")
    offset = _number(visit, "offset") or 0
    present = await visit.send(runs.get(project, identifier))
    run = _attempt_of(present, visit.query("attempt"))
    past = run.attempt if run.attempt < present.attempt else None
    is_exact = bool(visit.query("case"))
    hits, following, mistake = list[LogHitAnswer](), None, ""
    try:
        if text:
            hits, following = await _hits(visit, run, text, offset, is_exact)
    except Invalid as error:
        mistake = error.message
    address = f"{run_path(project, identifier)}/log/search"
    page = LogSearchPage(
        title=f"Search in the log of {run.job} {run.identifier}",
        run=run,
        past=past,
        text=text,
        is_exact=is_exact,
        offset=offset,
        hits=tuple((hit, _hit_address(run, past, hit)) for hit in hits),
        following=following,
        more=None
        if following is None
        else with_query(address, attempt=past, text=text, case="yes" if is_exact else None, offset=following),
        mistake=mistake,
    )
    return visit.page(page, 422 if mistake else 200)


async def _hits(
    visit: Visit, run: RunAnswer, text: str, offset: int, is_exact: bool
) -> tuple[list[LogHitAnswer], int | None]:
    """The first ones, and where to go on."""
    hits, following = list[LogHitAnswer](), offset
    for _ in range(_MOST_ANSWERS):
        call = runs.log_search(
            run.project, run.identifier, text,
            ignore_case=not is_exact, offset=following, limit=_MOST_HITS - len(hits), attempt=run.attempt,
        )  # fmt: skip
        found = await visit.send(call)
        hits += found.hits
        if found.next is None:
            return hits, None
        is_stuck, following = found.next == following, found.next
        if is_stuck or len(hits) >= _MOST_HITS:
            break
    return hits, following


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


async def _content(visit: Visit, run: RunAnswer, view: LogView) -> AsyncIterator[str]:
    """The window's part of the log, and for the last window of a run that goes on, what comes."""
    async with aclosing(view.html()) as pieces:
        async for piece in pieces:
            yield piece
    if view.window.end is not None or run.ended_at is not None:
        return
    chunks = visit.client.follow_log(run.project, run.identifier, view.end, _PATIENCE, run.attempt)
    size, sent, renderer, told = 0, 0, view.renderer, _EPOCH
    async for one in until_stopped(beside(beside(chunks, _starts(visit, run)), _beats()), visit.site.stopping):
        if one is None:
            yield _BEAT
            continue
        if isinstance(one, RunAnswer):
            yield visit.site.parts.templates.render_part(LogStatus.template, LogStatus(title="", run=one))
            continue
        now = visit.site.clock.now()
        if abs(now - told) >= _BETWEEN_TIMES:
            renderer.tell_time(time_html(now.isoformat(timespec="milliseconds"), visit.zone.rules))
            told = now
        replaced = renderer.replaced
        shown = await rendered(renderer, one)
        yield shown
        size, sent = size + len(one), sent + len(shown)
        if size >= _MOST_FOLLOWED or sent >= _MOST_SENT or renderer.replaced >= _MOST_REPLACED:
            raise _Full
        if renderer.replaced != replaced:
            # What overwrites this meanwhile need not be shown.
            await asyncio.sleep(_BETWEEN_STATES)


async def _beats() -> AsyncGenerator[None]:
    """Proxies cut what says nothing for a minute; and who has gone without a word is noticed."""
    while True:
        await asyncio.sleep(BETWEEN_BEATS)
        yield None


async def _starts(visit: Visit, run: RunAnswer) -> AsyncGenerator[RunAnswer]:
    """The run once it runs, if it waits still."""
    while run.status == RunStatus.PENDING:
        try:
            present = await visit.send(runs.wait(run.project, run.identifier, run.status, run.attempt))
        except Unavailable:
            await asyncio.sleep(_BETWEEN_TRIES)
            continue
        except NotFound:
            return  # the service is of a version that nobody can wait with, or the run has gone
        if present.attempt != run.attempt:
            return
        if present.status == RunStatus.RUNNING:
            yield present
        run = present


async def _end(visit: Visit, run: RunAnswer, view: LogView, past: int | None) -> LogEnd:
    if view.window.end is not None:
        return LogEnd(title="", run=None, following=_address(run, past, view.window.end))
    is_news = run.ended_at is None
    if run.ended_at is not None and view.end < run.log.size:
        notice = (
            f"Of the {run.log.size} bytes that the run ended with, those from {view.end} on are not stored any more."
        )
        return LogEnd(title="", run=None, notice=f"{notice} The command orchestra database check tells more.")
    if run.ended_at is None:
        present = await visit.send(runs.get(run.project, run.identifier))
        if present.attempt != run.attempt:
            return _retried_end(present, run.attempt)
        run = present
    return LogEnd(title="", run=run, is_news=is_news)


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


def _page(run: RunAnswer, view: LogView, past: int | None, is_missed: bool) -> LogPage:
    window = view.window
    return LogPage(
        title=f"Log of {run.job} {run.identifier}",
        run=run,
        past=past,
        window=window,
        is_numbered=view.is_numbered,
        is_missed=is_missed,
        first=_address(run, past, 0) if window.start else None,
        earlier=_address(run, past, max(0, window.start - STEP)) if window.start else None,
        later=None if window.end is None else _address(run, past, window.end),
        last=None if window.end is None else _address(run, past),
    )


def _address(run: RunAnswer, past: int | None = None, offset: int | None = None, line: int | None = None) -> str:
    """Of the log of a past attempt, or of whichever is the present one then."""
    return with_query(f"{run_path(run.project, run.identifier)}/log", attempt=past, offset=offset, line=line)


def _line_address(past: int | None) -> str:
    """Of a line of the log whose page this is, but for its number."""
    return "?line=" if past is None else f"?attempt={past}&line="


def _hit_address(run: RunAnswer, past: int | None, hit: LogHitAnswer) -> str:
    """By its byte: the line of a hit may have begun many pages before."""
    anchor = "" if hit.line is None else f"#L{hit.line}"
    return with_query(f"{run_path(run.project, run.identifier)}/log", attempt=past, byte=hit.offset) + anchor


def _number(visit: Visit, name: str) -> int | None:
    text = visit.query(name)
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 16 and (int(text) > 0 or name not in {"line", "go"}):
        return int(text)
    what = "a line" if name in {"line", "go"} else "bytes"
    raise Invalid.at(name, f"{text[:40]!r} is no number of {what}.")
