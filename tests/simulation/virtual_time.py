"""An event loop whose clock jumps to the next timer: hours pass in milliseconds, and always in the same way."""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta

_MOST_STEPS_IN_A_MOMENT = 100_000


class Stillness(AssertionError):
    """Nothing will ever happen any more, or time does not pass any more."""


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: where a real one would sleep, the clock is put forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._steps = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stillness("Everybody waits, and no timer is set.")
        if timeout > 0:
            self.now += timeout
            self._steps = 0
            return []
        self._steps += 1
        if self._steps > _MOST_STEPS_IN_A_MOMENT:
            raise Stillness("Something goes on and on without any time passing.")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Ready callbacks keep their order, which asyncio promises; chance is in the moments at which they become ready."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class VirtualClock:
    """The date that goes with a loop's time; implements `domain.clock.Clock`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._start = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())
