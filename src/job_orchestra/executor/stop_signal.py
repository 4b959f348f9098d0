"""The one way in which commands are told to stop: by request, time limit, log limit or shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from job_orchestra.execution.room import LOOK_AGAIN, is_want_of_room
from job_orchestra.executor.outcome import Outcome

T = TypeVar("T")


class StopSignal:
    """Given at most once: who comes first says how the run ends."""

    def __init__(self) -> None:
        self._given: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def give(self, outcome: Outcome) -> None:
        if not self._given.done():
            self._given.set_result(outcome)

    def outcome(self) -> Outcome | None:
        """None as long as it is not given."""
        return self._given.result() if self._given.done() else None

    async def when_there_is_room(self, act: Callable[[], T]) -> T | None:
        """As `room.when_there_is_room`, but nothing is done any more once it is given: None."""
        while self.outcome() is None:
            try:
                return act()
            except OSError as error:
                if not is_want_of_room(error):
                    raise
            await asyncio.wait((self._given,), timeout=LOOK_AGAIN)
        return None

    async def wait_for(self, other: asyncio.Future[int] | asyncio.Future[None]) -> bool:
        """Waits for `other` or for the signal; whether `other` is done."""
        if not other.done() and not self._given.done():
            await asyncio.wait((other, self._given), return_when=asyncio.FIRST_COMPLETED)
        return other.done()
