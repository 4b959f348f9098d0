"""Following a log over broken connections: where it stands, how long to wait, and when all of it is there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from job_orchestra.domain.errors import Unavailable
from job_orchestra.protocol.resources import RunAnswer

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0


@dataclass
class Following:
    """The state of one follower. Nothing here waits or sends."""

    offset: int
    patience: float
    """Seconds without a connection after which the follower gives up."""
    _delay: float = field(default=_FIRST_DELAY, init=False)
    _broken_since: float | None = field(default=None, init=False)
    _was_connected: bool = field(default=False, init=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Range": f"bytes={self.offset}-"} if self.offset else {}

    def connected(self) -> None:
        self._was_connected = True
        self._broken_since = None
        self._delay = _FIRST_DELAY

    def received(self, size: int) -> None:
        self.offset += size

    def delay_after(self, error: Unavailable) -> float:
        """Seconds until the next attempt; raises `error` when there never was a connection or patience is over."""
        now = time.monotonic()
        if self._broken_since is None:
            self._broken_since = now
        if not self._was_connected or now - self._broken_since >= self.patience:
            raise error
        delay = self._delay
        self._delay = min(2 * delay, _LONGEST_DELAY)
        return delay

    def is_complete(self, run: RunAnswer) -> bool:
        return run.ended_at is not None and self.offset >= run.log.size
