"""What the master does while the database or the disk of the logs cannot be used: wait, say so, and go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from job_orchestra.domain.errors import Unavailable

_logger = logging.getLogger(__name__)

_FIRST_DELAY = 0.05
_LONGEST_DELAY = 2.0

T = TypeVar("T")


class Outage:
    """Shared by everything that stores, so that one outage is reported once, and each of its reasons."""

    def __init__(self) -> None:
        self._reasons: dict[object, str] = {}
        """What each of those who wait was told last."""
        self._said: set[str] = set()
        self._given_up = asyncio.Event()

    @property
    def reasons(self) -> list[str]:
        """Why something waits now, in sentences; empty while nothing does."""
        return sorted(set(self._reasons.values()))

    def give_up(self) -> None:
        """The master stops: who waits is told that storage is unavailable, and so is who finds it so from now on."""
        self._given_up.set()

    async def outlast(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of `attempt`, repeated until storage can be used; so it has to be one that may be repeated."""
        try:
            return await attempt()
        except Unavailable as error:
            failure = error
        waiting = object()
        delay = _FIRST_DELAY
        try:
            while not self._given_up.is_set():
                self._note(waiting, failure)
                await self._pause(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
                try:
                    result = await attempt()
                except Unavailable as error:
                    failure = error
                else:
                    self._reasons.pop(waiting, None)
                    self._say_if_over()
                    return result
        finally:
            self._reasons.pop(waiting, None)
        raise failure

    async def _pause(self, delay: float) -> None:
        try:
            await asyncio.wait_for(self._given_up.wait(), delay)
        except TimeoutError:
            return

    def _note(self, waiting: object, error: Unavailable) -> None:
        self._reasons[waiting] = error.message
        if error.message not in self._said:
            self._said.add(error.message)
            _logger.warning("Storage cannot be used, waiting for it: %s", error.message)

    def _say_if_over(self) -> None:
        if not self._reasons:
            self._said.clear()
            _logger.warning("Storage can be used again.")
