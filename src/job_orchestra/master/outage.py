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
    """Shared by everything that stores, so that one outage is reported once."""

    def __init__(self) -> None:
        self._waiting = 0

    @property
    def is_on(self) -> bool:
        return self._waiting > 0

    async def outlast(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of `attempt`, repeated until storage can be used; so it has to be one that may be repeated."""
        delay = _FIRST_DELAY
        try:
            return await attempt()
        except Unavailable as error:
            self._begin(error)
        try:
            while True:
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
                try:
                    return await attempt()
                except Unavailable:
                    continue
        finally:
            self._end()

    def _begin(self, error: Unavailable) -> None:
        if not self._waiting:
            _logger.warning("Storage cannot be used, waiting for it: %s", error)
        self._waiting += 1

    def _end(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            _logger.warning("Storage can be used again.")
