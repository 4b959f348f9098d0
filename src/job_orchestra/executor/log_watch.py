from __future__ import annotations

import asyncio
from collections.abc import Callable

from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.executor.outcome import Outcome
from job_orchestra.executor.run_log import RunLog

_INTERVAL = 1.0
"""A limit need not hold to the byte, so it is looked at now and then, not at each write."""
_MORE_FOR_TEARDOWN = 1 << 20


class LogWatch:
    """Stops a run whose log exceeds its limit."""

    def __init__(self, log: RunLog, limit: int | None, stop: Callable[[Outcome], None]) -> None:
        self._log = log
        self._limit = limit
        self._stop = stop
        self._timer: asyncio.TimerHandle | None = None
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

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_INTERVAL, self._look)

    def _look(self) -> None:
        assert self._limit is not None
        size = self._log.size
        if size > self._limit:
            sentence = f"The log has {size:,} bytes, which is more than its limit of {self._limit:,}."
            self._stop(Outcome.aborted(ReasonCode.LOG_LIMIT, sentence))
        self._look_later()
