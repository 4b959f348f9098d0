"""What a page takes from elsewhere while it stays open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from job_orchestra.website.following import Stopping, beside, until_stopped


class Source:
    """Gives numbers, then waits; and takes its time to close."""

    def __init__(self, *numbers: int, ends: bool = False) -> None:
        self._numbers = numbers
        self._ends = ends
        self.is_closed = False

    async def items(self) -> AsyncGenerator[int]:
        try:
            for number in self._numbers:
                yield number
            if not self._ends:
                await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            self.is_closed = True


async def _take(first: Source, second: Source, stopping: asyncio.Event, taken: list[int]) -> None:
    async for one in until_stopped(beside(first.items(), second.items()), stopping):
        taken.append(one)
        if one < 0:
            stopping.set()


def test_both_are_taken_until_the_first_ends() -> None:
    first, second, taken = Source(1, 2, 3, ends=True), Source(4, 5), list[int]()
    asyncio.run(_take(first, second, asyncio.Event(), taken))
    assert [one for one in taken if one < 4] == [1, 2, 3]
    assert [one for one in taken if one > 3] == [4, 5][: len(taken) - 3]
    assert first.is_closed and second.is_closed


def test_stopping_closes_both() -> None:
    first, second, taken = Source(1), Source(-1), list[int]()
    with pytest.raises(Stopping):
        asyncio.run(_take(first, second, asyncio.Event(), taken))
    assert set(taken) <= {1, -1}
    assert first.is_closed and second.is_closed


def test_who_leaves_is_cancelled_again_and_again_as_servers_do_it() -> None:
    first, second, taken = Source(1), Source(2), list[int]()

    async def leave() -> None:
        task = asyncio.create_task(_take(first, second, asyncio.Event(), taken))
        while len(taken) < 2:
            await asyncio.sleep(0)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(leave())
    assert first.is_closed and second.is_closed
