"""A run as a zip file, made while it is sent: memory stays constant whatever the size of its log."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import msgspec
from stream_zip import ZIP_64, MemberFile, stream_zip

from job_orchestra.domain.runs import Run
from job_orchestra.repositories.paging import Listed
from job_orchestra.repositories.rows.events import StoredEvent
from job_orchestra.service.answers.runs import event_answer, run_answer
from job_orchestra.service.late_reports import late_log_key, late_reports_of
from job_orchestra.service.logs import log_key, stored
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.transformation import Transformed

_MODE = 0o100644
_PAGE = 500


def _indented(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


async def archive(parts: ServiceParts, run: Run) -> AsyncGenerator[bytes]:
    """`run.json`, `results.json`, `events.json`, `log`, and what there is of past attempts, as it is stored now.

    Of a run that has ended, the same bytes each time: transformers, which may change, have no part in it.
    """
    as_stored = Transformed(run.results)
    key = log_key(run, None)
    size = await parts.log_store.size(key)
    late_reports = await late_reports_of(parts, run)
    members: list[tuple[str, AsyncIterator[bytes]]] = [
        ("run.json", _once(_indented(run_answer(run, as_stored, late_reports=late_reports)))),
        ("results.json", _once(_indented(run.results))),
        ("events.json", _events(partial(parts.runs.list_events, run.identifier))),
        ("log", stored(parts, key, 0, size)),
    ]
    for past in run.past_attempts:
        name = f"past-attempts/{past.attempt}/log"
        members.append((name, stored(parts, log_key(run, past.attempt), 0, past.log.size)))
    for report in late_reports:
        account = report.account
        folder = f"late-reports/{account.attempt}"
        events = partial(parts.late_reports.list_events, account.identifier, account.attempt)
        members += [
            (f"{folder}/events.json", _events(events)),
            (f"{folder}/log", stored(parts, late_log_key(account), 0, account.log.size)),
        ]
    prefix = f"{run.request.project}-{run.request.job}-{run.identifier}"
    date = run.ended_at or run.created_at
    loop = asyncio.get_running_loop()
    files = iter([_member(loop, f"{prefix}/{name}", date, chunks) for name, chunks in members])
    zipped = iter(stream_zip(files, get_compressobj=_compressor))
    # A thread of its own: it waits for the event loop, and so must not take the place of one that the loop waits for.
    thread = ThreadPoolExecutor(1, "archive")
    try:
        while chunk := await loop.run_in_executor(thread, next, zipped, b""):
            yield chunk
    finally:
        thread.shutdown(wait=False)


def _member(loop: asyncio.AbstractEventLoop, name: str, date: datetime, chunks: AsyncIterator[bytes]) -> MemberFile:
    def pulled() -> Iterator[bytes]:
        while chunk := asyncio.run_coroutine_threadsafe(_next(chunks), loop).result():
            yield chunk

    return name, date, _MODE, ZIP_64, pulled()


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    """Empty at the end."""
    return await anext(chunks, b"")


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _events(list_page: Callable[[int, str | None], Awaitable[Listed[StoredEvent]]]) -> AsyncIterator[bytes]:
    separator = b"[\n"
    cursor: str | None = None
    while True:
        page = await list_page(_PAGE, cursor)
        for event in page.items:
            yield separator + msgspec.json.encode(event_answer(event))
            separator = b",\n"
        cursor = page.next
        if cursor is None:
            break
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def _compressor() -> zlib._Compress:  # pyright: ignore[reportPrivateUsage]
    return zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS)
