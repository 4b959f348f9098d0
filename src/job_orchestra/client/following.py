"""Following a log over broken connections: where it stands, how long to wait, and when all of it is there."""

from __future__ import annotations

import time

from job_orchestra.domain.errors import Unavailable
from job_orchestra.protocol.resources.runs import RunAnswer

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0
_SOUND = 1.0
"""A connection that lasted so many seconds was a good one, even if the log said nothing."""


class Following:
    """The state of one follower; nothing here waits or sends.

    Before each connection, `look` at the run: there is nothing more to come when that answers False.
    """

    def __init__(self, offset: int, patience: float, attempt: int | None = None) -> None:
        """`patience`: seconds without progress after which the follower gives up.

        With an `attempt`, its log only; else that of the present one, and behind it those that follow.
        """
        self._only = attempt
        self._offset = offset
        self._patience = patience
        self._attempt = attempt
        self._delay = _FIRST_DELAY
        self._stuck_since: float | None = None
        self._was_answered = False
        self._connected_at: float | None = None
        self._has_received = False

    @property
    def query(self) -> dict[str, str]:
        return {"follow": "true", "attempt": str(self._attempt)}

    @property
    def headers(self) -> dict[str, str]:
        return {"Range": f"bytes={self._offset}-"} if self._offset else {}

    def look(self, run: RunAnswer) -> bool:
        """Whether there is more to come. Each attempt has a log of its own, which is followed from its beginning."""
        self._was_answered = True
        attempt = run.attempt if self._attempt is None else self._attempt
        while self._only is None and attempt < run.attempt and self._offset >= _size_of(run, attempt):
            attempt, self._offset, self._stuck_since = attempt + 1, 0, None
        self._attempt = attempt
        is_over = attempt < run.attempt or run.ended_at is not None
        return not is_over or self._offset < _size_of(run, attempt)

    def connected(self) -> None:
        self._connected_at = time.monotonic()

    def received(self, size: int) -> None:
        self._offset += size
        self._has_received = True

    def delay_after_end(self) -> float:
        """Seconds until the next look, after a connection that ended in order; raises when patience is over."""
        if self._has_received:
            self._has_received = False
            return 0.0
        return self.delay_after(Unavailable(f"The service has no more of the log than {self._offset} bytes."))

    def delay_after(self, error: Unavailable) -> float:
        """Seconds until the next look; raises `error` when there never was an answer, or when patience is over."""
        now = time.monotonic()
        if not self._was_answered:
            raise error
        if self._stuck_since is None or self._made_progress(now):
            self._stuck_since = now
            self._delay = _FIRST_DELAY
        if now - self._stuck_since >= self._patience:
            raise error
        delay = self._delay
        self._delay = min(2 * delay, _LONGEST_DELAY)
        return delay

    def _made_progress(self, now: float) -> bool:
        """Since the last connection began."""
        connected_at, self._connected_at = self._connected_at, None
        has_received, self._has_received = self._has_received, False
        return has_received or (connected_at is not None and now - connected_at >= _SOUND)


def _size_of(run: RunAnswer, attempt: int) -> int:
    """Of its log, as far as that is known; of an attempt that a worker refused there is none."""
    if attempt == run.attempt:
        return run.log.size
    return next((past.log.size for past in run.past_attempts if past.attempt == attempt), 0)
