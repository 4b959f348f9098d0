"""The bytes of a run's log: as they are stored, or as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from job_orchestra.domain.errors import NotFound, Unavailable
from job_orchestra.domain.log_places import LogPlace
from job_orchestra.domain.runs import Run
from job_orchestra.service.parts import ServiceParts
from job_orchestra.storage.log_port import LogDamaged, LogKey

_CHUNK = 256 << 10
BETWEEN_CHECKS = 15.0
"""Seconds after which who follows a log is looked at again."""


def log_key(run: Run, attempt: int | None) -> LogKey:
    """NotFound for an attempt that there has not been yet."""
    if attempt is not None and attempt > run.attempt:
        raise NotFound("attempt", f"{run.identifier}/{attempt}")
    return LogKey(run.request.project, run.identifier, run.attempt if attempt is None else attempt)


async def find_place(parts: ServiceParts, key: LogKey, offset: int | None, line: int | None) -> LogPlace | None:
    """One of both is given; None as long as the lines of a large log are being counted."""
    if line is not None:
        return await parts.log_store.place_of_line(key, line)
    return await parts.log_store.place_at(key, offset or 0)


async def stored(parts: ServiceParts, key: LogKey, start: int, end: int) -> AsyncGenerator[bytes]:
    while start < end:
        data = await parts.log_store.read(key, start, min(_CHUNK, end - start))
        if not data:
            return
        yield data
        start += len(data)


async def followed(
    parts: ServiceParts, run: Run, attempt: int | None, start: int, check: Callable[[], Awaitable[None]]
) -> AsyncGenerator[bytes]:
    """From `start` until the run has ended and everything was handed out; an outage in between is waited out.

    `check` raises, now and then asked, when it is to end before.
    """
    key = log_key(run, attempt)
    offset, clock = start, asyncio.get_running_loop().time
    checked_at = clock()
    with parts.followers.watch(run.identifier) as watch:
        may_have_changed = True
        while True:
            try:
                if clock() - checked_at >= BETWEEN_CHECKS:
                    await check()
                    checked_at = clock()
                if may_have_changed:
                    run = await parts.runs.get(run.request.project, run.identifier)
                    if attempt is None and offset == start:
                        key = log_key(run, None)
                while data := await parts.log_store.read(key, offset, _CHUNK):
                    yield data
                    offset += len(data)
            except LogDamaged:
                raise  # it will be so the next time, too
            except Unavailable:
                pass  # looked at again below, by and by
            else:
                if run.status.is_terminal or run.attempt != key.attempt:
                    return
            may_have_changed = await watch.wait()
