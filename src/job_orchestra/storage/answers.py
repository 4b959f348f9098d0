"""From the database's threads back to those who wait in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeAlias, TypeVar

from job_orchestra.storage.port import StorageUnavailable

PATIENCE = 10.0
"""Seconds after which a caller is told that the database does not answer, be it in the queue or on its way."""

T = TypeVar("T")
Answer: TypeAlias = tuple[asyncio.Future[T], T | Exception]


def give(answers: Sequence[Answer[T]]) -> None:
    """Wakes the event loop once for all of them."""
    if answers:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            answers[0][0].get_loop().call_soon_threadsafe(_resolve, answers)


async def wait(future: asyncio.Future[T], name: str, patience: float) -> T:
    """What is not answered in time is told as such; if no thread has taken it up by then, none will.

    `name` begins the message.
    """
    limit = future.get_loop().call_later(
        patience, _give_up, future, f"{name} has not answered for {patience:g} seconds."
    )
    try:
        return await future
    finally:
        limit.cancel()


def same_for_another(error: Exception) -> Exception:
    """An exception that several callers are told: each gets its own, for tracebacks are written into it."""
    return StorageUnavailable(error.message) if isinstance(error, StorageUnavailable) else error


def _give_up(future: asyncio.Future[T], message: str) -> None:
    if not future.done():
        future.set_exception(StorageUnavailable(message))


def _resolve(answers: Sequence[Answer[T]]) -> None:
    for future, answer in answers:
        if future.done():  # cancelled
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
