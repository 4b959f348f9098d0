"""Runs of equal requirements that wait: they fit the same workers, and are held up by the same things. No I/O."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TypeAlias

from job_orchestra.domain.runs import Run, RunRequest

GROUP_WINDOW = 1000
"""Runs of one group kept in memory; the rest stays in the database until these are gone."""
_REFILL_BELOW = 50

QueuePlace: TypeAlias = tuple[int, str]
"""The smaller, the sooner."""


class RunGroup:
    """Runs in the order in which they are to start, at most GROUP_WINDOW of them."""

    def __init__(self, request: RunRequest) -> None:
        self.request = request
        """Of one of its runs: they fit the same workers."""
        self.able: set[str] | None = None
        """The workers here that could ever take its runs; None before that is known."""
        self._end: QueuePlace | None = None
        """Up to where all runs of the group are in memory, if the database has more behind it."""
        self._ordered: list[QueuePlace] = []
        self._runs: dict[str, Run] = {}

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def has_more(self) -> bool:
        return self._end is not None

    @property
    def is_low(self) -> bool:
        return self.has_more and len(self) < _REFILL_BELOW

    def add(self, run: Run) -> list[str]:
        """The runs that are not in memory for it, among which may be itself."""
        if run.identifier not in self._runs:
            insort(self._ordered, place_in_queue(run))
        self._runs[run.identifier] = run
        # Of runs that nobody here could take, one is enough to tell when somebody can.
        room = 1 if self.able == set() else GROUP_WINDOW
        if len(self) > room:
            self._end = self._ordered[room - 1]
        return self._leave_out()

    def discard(self, run: str) -> None:
        """One of its runs waits no more."""
        del self._ordered[bisect_left(self._ordered, place_in_queue(self._runs.pop(run)))]

    def end_with(self, run: Run | None) -> list[str]:
        """Only up to this run are all in memory, all of them if it is None; those that have to go for it."""
        self._end = None if run is None else place_in_queue(run)
        return self._leave_out()

    def _leave_out(self) -> list[str]:
        """What is behind the end: were it taken, it would overtake runs that are not in memory."""
        left_out: list[str] = []
        while self._end is not None and self._ordered and self._ordered[-1] > self._end:
            left_out.append(self._ordered.pop()[1])
            del self._runs[left_out[-1]]
        return left_out

    def head(self) -> Run | None:
        return self._runs[self._ordered[0][1]] if self._ordered else None

    def place(self) -> QueuePlace | None:
        """Where it stands in line; None while there is nothing to take, or nobody here that could."""
        return self._ordered[0] if self._ordered and self.able else None


def place_in_queue(run: Run) -> QueuePlace:
    """The most urgent first, then the oldest."""
    return (-run.request.priority, run.identifier)
