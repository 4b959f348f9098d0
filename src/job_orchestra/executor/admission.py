from __future__ import annotations

import asyncio
import resource
from collections import deque

from job_orchestra.executor.stop_signal import StopSignal

_OF_A_RUN = 4
"""Journal, log, the lock of the workspace, and the output of a command that is being started."""
_OF_THE_HOST = 64
_SHARE_OF_THE_HOST = 8
"""At least that part of all descriptors is for the host itself: for workers, and to find and end processes."""


class Admission:
    """As many runs at a time as there are descriptors for; the others wait in the order of their coming."""

    def __init__(self) -> None:
        self._inside = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def enter(self, stop: StopSignal) -> None:
        """A run that is told to stop does not wait: it will hardly be executed."""
        if self._inside >= _capacity():
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            if not await stop.wait_for(turn):
                self._queue.remove(turn)
        self._inside += 1

    def leave(self) -> None:
        self._inside -= 1
        if self._queue and self._inside < _capacity():
            self._queue.popleft().set_result(None)


def _capacity() -> int:
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    reserve = max(_OF_THE_HOST, descriptors // _SHARE_OF_THE_HOST)
    return max(1, (descriptors - reserve) // _OF_A_RUN)
