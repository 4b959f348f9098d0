"""Frames that wait for a master that is busy: in their order, and bounded."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from job_orchestra.master.inbox import Inbox


def play(scenario: Callable[[Inbox], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await scenario(Inbox())

    asyncio.run(main())


async def _rest() -> None:
    """Everything that can go on without others has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("size", "most"), [(1, 64), (16 << 20, 2), (40 << 20, 1)])
def test_who_sends_faster_than_it_is_handled_waits(size: int, most: int) -> None:
    async def scenario(inbox: Inbox) -> None:
        frame, put = bytes(size), 0

        async def pour() -> None:
            nonlocal put
            for _ in range(3 * most):
                put += 1
                await inbox.put(frame)

        pouring = asyncio.create_task(pour())
        await _rest()
        assert put == most
        taken = len(await inbox.take())
        await _rest()
        assert put == most + taken
        while put < 3 * most:
            await inbox.take()
            await _rest()
        await inbox.take()
        await pouring

    play(scenario)


def test_all_comes_out_once_and_in_order() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    sent = [bytes([number % 251]) * rng.choice([1, 100, 1 << 20]) for number in range(500)]

    async def scenario(inbox: Inbox) -> None:
        async def pour() -> None:
            for frame in sent:
                await inbox.put(frame)
                if rng.random() < 0.3:
                    await asyncio.sleep(0)
            inbox.close()

        pouring = asyncio.create_task(pour())
        received: list[bytes | str] = []
        while frames := await inbox.take():
            received += frames
            if rng.random() < 0.3:
                await asyncio.sleep(0)
        assert received == sent
        await pouring

    play(scenario)


def test_what_came_before_the_end_is_still_there() -> None:
    async def scenario(inbox: Inbox) -> None:
        await inbox.put("text")
        await inbox.put(b"\x00")
        inbox.close()
        assert await inbox.take() == ["text", b"\x00"]
        assert await inbox.take() == []
        assert await inbox.take() == []

    play(scenario)
