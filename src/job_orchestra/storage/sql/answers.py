"""From the database's threads back to those who wait in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Answer: TypeAlias = tuple[asyncio.Future[T], T | Exception]


def give(answers: Sequence[Answer[T]]) -> None:
    """Wakes the event loop once for all of them."""
    if answers:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            answers[0][0].get_loop().call_soon_threadsafe(_resolve, answers)


def _resolve(answers: Sequence[Answer[T]]) -> None:
    for future, answer in answers:
        if future.done():  # cancelled
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
