"""Taking what comes from elsewhere until the application is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import TypeVar

Item = TypeVar("Item")


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
                        following.cancel()
                        with suppress(asyncio.CancelledError):
                            await following
                if following.cancelled():
                    raise Stopping
                try:
                    yield following.result()
                except StopAsyncIteration:
                    return
        finally:
            stop.cancel()
