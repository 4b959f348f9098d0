"""When a worker tries again that has lost the master, or was not let in."""

from __future__ import annotations

import random

SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
"""A master that comes back is met within so many seconds, however long it was away; trying costs next to nothing."""
STABLE = 5.0
"""A connection that held for so long was a good one: the next is tried at once."""


class Pauses:
    """Longer and longer, up to a limit."""

    def __init__(self) -> None:
        self._pause = SHORTEST_PAUSE

    def after(self, held: float) -> float:
        """Seconds to wait behind a connection that held, or an attempt that took, so many."""
        self._pause = SHORTEST_PAUSE if held > STABLE else min(2 * self._pause, LONGEST_PAUSE)
        # Spread, so that the workers of a restarted master do not come all at once.
        return random.uniform(self._pause / 2, self._pause)  # noqa: S311 -- no secret
