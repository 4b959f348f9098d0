"""The runs that wait, in groups of equal requirements, and the plan of who takes which. No I/O."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from job_orchestra.domain.concurrency import group_of
from job_orchestra.domain.placement import Candidate, WorkerSelector
from job_orchestra.domain.runs import Run, queue_key
from job_orchestra.master.slots import Slots

GROUP_WINDOW = 1000
"""Runs of one group kept in memory; the rest stays in the database until these are gone."""
_REFILL_BELOW = 200


@dataclass(frozen=True, slots=True)
class Assignment:
    run: Run
    worker: str
    slot: str | None = None
    """Of the run's concurrency group."""


class _Group:
    """Runs in the order in which they are to start, at most GROUP_WINDOW of them."""

    def __init__(self) -> None:
        self._ordered: list[tuple[int, str]] = []
        self._runs: dict[str, Run] = {}
        self.has_more = False
        """The database has runs of this group behind those in memory."""

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, run: Run) -> str | None:
        """The run that has to go for it, which may be itself; None while there is room."""
        if run.identifier not in self._runs:
            insort(self._ordered, place_in_queue(run))
        self._runs[run.identifier] = run
        if len(self) <= GROUP_WINDOW:
            return None
        self.has_more = True
        _, last = self._ordered[-1]
        self.discard(last)
        return last

    def discard(self, run: str) -> None:
        """One of its runs waits no more."""
        del self._ordered[bisect_left(self._ordered, place_in_queue(self._runs.pop(run)))]

    def head(self) -> Run | None:
        return self._runs[self._ordered[0][1]] if self._ordered else None


def place_in_queue(run: Run) -> tuple[int, str]:
    """The most urgent first, then the oldest."""
    return (-run.request.priority, run.identifier)


class PendingQueue:
    """What the dispatcher knows of the runs that wait for a worker."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._group_of: dict[str, str] = {}
        """Of the runs that are in memory, and of no others."""

    def __len__(self) -> int:
        return len(self._group_of)

    def __contains__(self, run: str) -> bool:
        return run in self._group_of

    def add(self, run: Run) -> None:
        """May be called again for the same run."""
        key = queue_key(run.request)
        self._group_of[run.identifier] = key
        left_out = self._groups.setdefault(key, _Group()).add(run)
        if left_out is not None:
            del self._group_of[left_out]

    def discard(self, run: str) -> None:
        """The run waits no more; unknown ones are fine."""
        key = self._group_of.pop(run, None)
        if key is not None:
            self._groups[key].discard(run)

    def note_more(self, key: str) -> None:
        """The database has more runs of the group than were added."""
        self._groups.setdefault(key, _Group()).has_more = True

    def groups_to_refill(self) -> list[str]:
        """Groups that ran low while the database has more of them; they are not named again until noted again."""
        keys = [key for key, group in self._groups.items() if group.has_more and len(group) < _REFILL_BELOW]
        for key in keys:
            self._groups[key].has_more = False
        return keys

    def has_limited(self) -> bool:
        """Whether there are runs of concurrency groups."""
        heads = (group.head() for group in self._groups.values())
        return any(run is not None and run.request.concurrency is not None for run in heads)

    def plan(
        self, candidates: Iterable[Candidate], selector: WorkerSelector, held: Collection[tuple[str, str]], slots: Slots
    ) -> list[Assignment]:
        """Who takes which run now, the most urgent first; the runs planned for leave the queue.

        A group of which the first run fits no worker, or finds its concurrency group full, is not looked at again: its
        other runs would not fit either.
        """
        free = {candidate.identifier: candidate for candidate in candidates if selector.is_available(candidate)}
        if not free:
            return []
        heads = self._heads(held)
        assignments: list[Assignment] = []
        while heads and free:
            _, key = heapq.heappop(heads)
            group = self._groups[key]
            run = group.head()
            assert run is not None
            limited = group_of(run.request)
            slot = None if limited is None else slots.next_free(limited)
            if limited is not None and slot is None:
                continue
            chosen = selector.select(run.request, list(free.values()))
            if chosen is None:
                continue
            assignments.append(Assignment(run, chosen.identifier, slot))
            self.discard(run.identifier)
            if slot is not None:
                slots.take(slot, run.identifier)
            busier = chosen.with_run(run)
            if selector.is_available(busier):
                free[chosen.identifier] = busier
            else:
                del free[chosen.identifier]
            following = group.head()
            if following is not None:
                heapq.heappush(heads, (place_in_queue(following), key))
        return assignments

    def _heads(self, held: Collection[tuple[str, str]]) -> list[tuple[tuple[int, str], str]]:
        heads: list[tuple[tuple[int, str], str]] = []
        for key, group in list(self._groups.items()):
            run = group.head()
            if run is None:
                if not group.has_more:
                    del self._groups[key]
            elif (run.request.project, run.request.job) not in held:
                heads.append((place_in_queue(run), key))
        heapq.heapify(heads)
        return heads
