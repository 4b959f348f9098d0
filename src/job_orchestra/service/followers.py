"""Who follows which run's log: woken by what masters say, and looking again by themselves when they say nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from job_orchestra.domain.errors import Unavailable

_PATIENCE = 1.0
"""Seconds after which a follower looks again without a hint."""


class Stopping(Unavailable):
    """The service stops; whoever follows may connect again elsewhere or later."""

    def __init__(self) -> None:
        super().__init__("The service is stopping.")


class Watch:
    """One follower's wait. What happens between two waits is not missed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._has_run_changed = False
        self._is_closed = False

    async def wait(self, patience: float = _PATIENCE) -> bool:
        """Until there is news or patience ends; whether the run's record may have changed, not its log alone."""
        try:
            async with asyncio.timeout(patience):
                await self._event.wait()
            may_have_changed = self._has_run_changed
        except TimeoutError:
            may_have_changed = True
        if self._is_closed:
            raise Stopping
        self._event.clear()
        self._has_run_changed = False
        return may_have_changed

    def wake(self, has_run_changed: bool) -> None:
        self._has_run_changed = self._has_run_changed or has_run_changed
        self._event.set()

    def close(self) -> None:
        self._is_closed = True
        self._event.set()


class Followers:
    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}
        self._is_closed = False

    @contextmanager
    def watch(self, run: str) -> Generator[Watch]:
        watch = Watch()
        if self._is_closed:
            watch.close()
        watches = self._watches.setdefault(run, set())
        watches.add(watch)
        try:
            yield watch
        finally:
            watches.discard(watch)
            if not watches:
                self._watches.pop(run, None)

    @property
    def count(self) -> int:
        return sum(map(len, self._watches.values()))

    def log_grew(self, run: str) -> None:
        for watch in self._watches.get(run, ()):
            watch.wake(has_run_changed=False)

    def run_changed(self, run: str) -> None:
        for watch in self._watches.get(run, ()):
            watch.wake(has_run_changed=True)

    def close(self) -> None:
        """Ends all following with `Stopping`."""
        self._is_closed = True
        for watches in self._watches.values():
            for watch in watches:
                watch.close()
