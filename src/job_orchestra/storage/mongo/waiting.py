"""What waits for a thread, and the threads that take it up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

W = TypeVar("W")

_MOST_GATHERED = 500


@dataclass(frozen=True, slots=True, eq=False)
class Waiting(Generic[W]):
    work: W
    future: asyncio.Future[Any]
    kind: Hashable = None
    """What is of one kind, other than None, is taken up together."""


class Threads(Generic[W]):
    """So many threads; what waits at the moment is taken up by the next one that is free, the oldest first."""

    def __init__(self, name: str, count: int, serve: Callable[[Sequence[Waiting[W]]], None]) -> None:
        """`serve` answers what it is given, and never raises."""
        self._serve = serve
        self._line: deque[Waiting[W]] = deque()
        self._changed = Condition()
        self._is_closed = False
        self._threads = [
            Thread(target=self._run, name=f"storage {name} {number}", daemon=True) for number in range(1, count + 1)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, waiting: Waiting[W]) -> None:
        with self._changed:
            self._line.append(waiting)
            self._changed.notify()

    def close(self) -> None:
        """Ends the threads when they have answered what was put before."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while taken := self._take():
            # What its caller was told to have failed for want of an answer is not carried out long afterwards.
            if wanted := [each for each in taken if not each.future.done()]:
                self._serve(wanted)

    def _take(self) -> list[Waiting[W]]:
        """Empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._line or self._is_closed)
            if not self._line:
                return []
            first = self._line.popleft()
            if first.kind is None:
                return [first]
            taken, others = [first], deque[Waiting[W]]()
            for each in self._line:
                (taken if each.kind == first.kind and len(taken) < _MOST_GATHERED else others).append(each)
            self._line = others
            return taken
