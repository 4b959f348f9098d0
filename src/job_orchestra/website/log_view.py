"""What a page of the log shows: which bytes, from which line on, in which style, and when lines were stored."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import tzinfo

from job_orchestra.client.call import Call
from job_orchestra.client.calls import runs
from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.log_places import LogFold, LogPlace
from job_orchestra.domain.text_styles import PLAIN, apply_sgr
from job_orchestra.protocol.resources.logs import LogPlaceAnswer, LogPlacesAnswer
from job_orchestra.protocol.resources.runs import RunAnswer
from job_orchestra.website.ansi import AnsiRenderer, LineRenderer
from job_orchestra.website.log_window import (
    LogWindow,
    WindowBytes,
    last_window,
    split_window,
    window_at,
    window_before,
)
from job_orchestra.website.presentation import in_zone, parse_moment
from job_orchestra.website.visit import Visit

_PIECE = 32 * 1024
_LOOK_BEHIND = 16 * 1024
"""Where nobody knows the style, what was switched on shortly before holds."""


@dataclass(frozen=True, slots=True)
class LogView:
    window: LogWindow
    start: int
    """Where the page really begins, and ends so far."""
    end: int
    data: bytes
    renderer: LineRenderer
    is_numbered: bool

    async def html(self) -> AsyncGenerator[str]:
        """Of the part of the log that there is, in pieces, so that other pages go on between them."""
        for start in range(0, len(self.data), _PIECE):
            yield await rendered(self.renderer, self.data[start : start + _PIECE])
            await asyncio.sleep(0)


async def rendered(renderer: AnsiRenderer, data: bytes) -> str:
    """What it makes of the data; in a thread where that may take so long that other pages would notice."""
    return renderer.feed(data) if renderer.is_quick(data) else await asyncio.to_thread(renderer.feed, data)


async def line_offset(visit: Visit, run: RunAnswer, line: int) -> int | None:
    """Where the line begins, or the last one; None as long as that is not known."""
    places = await _places(visit, runs.log_places(run.project, run.identifier, line=line, attempt=run.attempt))
    return places[0].offset if places else None


async def view_log(visit: Visit, run: RunAnswer, address: str, offset: int | None, byte: int | None) -> LogView:
    """The page that begins about at the offset, or has that byte, or the last one.

    `address` is that of a line, but for its number.
    """
    size = run.log.size
    wanted = offset if byte is None else byte
    window = last_window(size) if wanted is None else window_at(wanted, size)
    view = await _view(visit, run, window, address)
    if byte is not None and byte < view.start:
        # In the line that was cut to begin the page with the next one.
        view = await _view(visit, run, window_before(window), address)
    return view


async def _view(visit: Visit, run: RunAnswer, window: LogWindow, address: str) -> LogView:
    size = run.log.size
    until = size if window.read_until is None else min(window.read_until, size)
    call = runs.log_places(run.project, run.identifier, offset=window.read_from, until=until, attempt=run.attempt)
    places = await _places(visit, call) if size else []
    is_numbered = bool(places) or not size
    first = places[0] if places else LogPlaceAnswer(max(0, window.read_from - _LOOK_BEHIND * bool(size)), 1, "", None)
    data = await visit.client.log(run.project, run.identifier, run.attempt, first.offset, until)
    found = split_window(window, data, first.offset)
    fold = LogFold(LogPlace(first.offset, first.line - 1, apply_sgr(PLAIN, first.style)))
    fold.feed(found.before)
    begin = fold.place
    renderer = LineRenderer(
        address,
        begin.line if is_numbered else None,
        begin.style,
        _times(places, data, found, begin.line, visit.zone.rules),
        is_live=window.end is None and run.ended_at is None,
    )
    shown = data[begin.offset - first.offset : found.end - first.offset]
    return LogView(window, found.start, found.end, shown, renderer, is_numbered)


async def _places(visit: Visit, call: Call[LogPlacesAnswer]) -> list[LogPlaceAnswer]:
    """None where the service is of a version that does not count lines; of a log that has gone its bytes will tell."""
    try:
        return (await visit.send(call)).places
    except NotFound:
        return []


def time_html(date: str, zone: tzinfo) -> str:
    """The time of day, small, in the margin."""
    return f'<time datetime="{html.escape(date)}">{_clock(date, zone)}</time>'


def _clock(date: str, zone: tzinfo) -> str:
    return in_zone(parse_moment(date), zone).strftime("%H:%M:%S")


def _times(
    places: list[LogPlaceAnswer], data: bytes, found: WindowBytes, first_line: int, zone: tzinfo
) -> dict[int, str]:
    """Of the lines with which something begins that was stored later than what is before."""
    times: dict[int, str] = {}
    last = ""
    for place in places:
        if place.date is None or place.offset >= found.end:
            continue
        line = first_line
        if place.offset > found.start:
            begins_line = data[place.offset - 1 - places[0].offset] == ord("\n")
            line = place.line if begins_line else place.line + 1
        if _clock(place.date, zone) != last:
            times[line] = time_html(place.date, zone)
        last = _clock(place.date, zone)
    return times
