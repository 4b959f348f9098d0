"""Taking what comes from elsewhere until the application is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, TypeVar

Item = TypeVar("Item")
Other = TypeVar("Other")


class Stopping(Exception):
    """The application ends."""


async def until_stopped(items: AsyncGenerator[Item], stopping: asyncio.Event) -> AsyncIterator[Item]:
    """The items; Stopping as soon as the event is set. Whoever stops iterating closes `items`, too."""
    stop = asyncio.create_task(stopping.wait())
    async with aclosing(items):
        try:
            while True:
                following = asyncio.ensure_future(anext(items))
                try:
                    await asyncio.wait({stop, following}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not following.done():
                        await _end(following)
                if following.cancelled():
                    raise Stopping
                try:
                    yield following.result()
                except StopAsyncIteration:
                    return
        finally:
            stop.cancel()


async def beside(items: AsyncGenerator[Item], others: AsyncGenerator[Other]) -> AsyncGenerator[Item | Other]:
    """The items until they end, and what else comes meanwhile."""
    async with aclosing(items), aclosing(others):
        item, other = asyncio.ensure_future(anext(items)), asyncio.ensure_future(anext(others))
        waiting: set[asyncio.Future[Item] | asyncio.Future[Other]] = {item, other}
        try:
            while True:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if other in waiting and other.done():
                    waiting.discard(other)
                    if not isinstance(other.exception(), StopAsyncIteration):
                        yield other.result()
                        other = asyncio.ensure_future(anext(others))
                        waiting.add(other)
                if item.done():
                    if isinstance(item.exception(), StopAsyncIteration):
                        return
                    yield item.result()
                    waiting.discard(item)
                    item = asyncio.ensure_future(anext(items))
                    waiting.add(item)
        finally:
            await _end(*waiting)


async def _end(*futures: asyncio.Future[Any]) -> None:
    """They are done afterwards, whatever becomes of them, and however often the caller is cancelled meanwhile."""
    for one in futures:
        one.cancel()
    while left := [one for one in futures if not one.done()]:
        with suppress(asyncio.CancelledError):
            await asyncio.wait(left)
    for one in futures:
        _ = one.cancelled() or one.exception()  # it has been looked at
