from __future__ import annotations

import asyncio
from collections.abc import Callable

from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.executor.outcome import Outcome
from job_orchestra.executor.run_log import RunLog

_SHORTEST, _LONGEST = 0.02, 1.0
"""Seconds between two looks: at half of the time that the limit is away, at the speed of the last moment."""
_MORE = 64 << 10
"""Bytes above the limit that stay: what a command says last tells most."""
_MORE_FOR_TEARDOWN = 1 << 20

GRACE = 1.0
"""Seconds at most for who writes too much, for it may go on writing."""


class LogWatch:
    """Stops a run whose log exceeds its limit, and cuts what is far above it."""

    def __init__(self, log: RunLog, limit: int | None, stop: Callable[[Outcome], None]) -> None:
        self._log = log
        self._limit = limit
        self._stop = stop
        self._timer: asyncio.TimerHandle | None = None
        self._size = log.size
        self._interval = _SHORTEST
        if limit is not None:
            self._look_later()

    def allow_more(self, stop: Callable[[Outcome], None]) -> None:
        """The teardown of a stopped run may write a little more, even where the limit was what stopped it."""
        self._stop = stop
        if self._limit is not None:
            self._limit = max(self._limit, self._log.size + _MORE_FOR_TEARDOWN)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def enforce(self) -> None:
        """When a command has ended, however fast that was: the limit holds, and the log is no longer than it may be."""
        if self._limit is None or (size := self._log.size) <= self._limit:
            return
        self._exceeded(size)
        if size > self._limit + _MORE:
            self._log.cut(self._limit)
            await self._log.say(f"The log is cut here, at {self._limit:,} of {size:,} bytes.")

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._look)

    def _look(self) -> None:
        assert self._limit is not None
        size = self._log.size
        if size > self._limit:
            self._exceeded(size)
        speed = max(0, size - self._size) / self._interval
        away = max(0, self._limit - size) / speed if speed else 2 * _LONGEST
        self._size = size
        self._interval = min(_LONGEST, 2 * self._interval, max(_SHORTEST, away / 2))
        self._look_later()

    def _exceeded(self, size: int) -> None:
        sentence = f"The log has {size:,} bytes, which is more than its limit of {self._limit:,}."
        self._stop(Outcome.aborted(ReasonCode.LOG_LIMIT, sentence))
