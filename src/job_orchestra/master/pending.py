"""The runs that wait, in groups of equal requirements, and the plan of who takes which. No I/O.

What an event costs depends neither on how many runs wait nor on groups that no worker here could ever take: whether one
could is looked at once for each group and worker, and only groups that one could take stand in line.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from job_orchestra.domain.concurrency import group_of
from job_orchestra.domain.placement import Candidate, WorkerSelector
from job_orchestra.domain.runs import Run
from job_orchestra.master.run_group import QueuePlace, RunGroup
from job_orchestra.master.run_groups import RunGroups
from job_orchestra.master.slots import Slots

REFILL = 200
"""Runs of one group that are loaded at once."""


@dataclass(frozen=True, slots=True)
class Assignment:
    run: Run
    worker: str
    slot: str | None = None
    """Of the run's concurrency group."""


class PendingQueue(RunGroups):
    """What the dispatcher knows of the runs that wait for a worker."""

    def __init__(self) -> None:
        super().__init__()
        self._line: list[tuple[QueuePlace, str]] = []
        """The groups that stand in line, the most urgent head first."""
        self._places: dict[str, QueuePlace] = {}
        """Of the groups in line."""
        self._new: set[str] = set()
        """Groups of which nobody has looked yet who could take them."""
        self._workers: dict[str, Candidate] = {}
        """As they were when that was looked at."""

    def is_in_reach(self, key: str) -> bool:
        """Whether a worker here could ever take runs of the group, as far as that was looked at."""
        return key in self._groups and bool(self._groups[key].able)

    def plan(
        self, candidates: Iterable[Candidate], selector: WorkerSelector, held: Collection[tuple[str, str]], slots: Slots
    ) -> list[Assignment]:
        """Who takes which run now, the most urgent first; the runs planned for leave the queue.

        A group of which the first run fits no worker, or finds its concurrency group full, is not looked at again: its
        other runs would not fit either. Where a group has to be refilled to tell who is next, the plan ends.
        """
        here = {candidate.identifier: candidate for candidate in candidates}
        self._look_at_workers(here, selector)
        free = {name: candidate for name, candidate in here.items() if selector.is_available(candidate)}
        assignments: list[Assignment] = []
        position = 0
        while free and position < len(self._line):
            _, key = self._line[position]
            chosen = self._choose(self._groups[key], free, selector, held, slots)
            if chosen is None:
                position += 1
                continue
            assignments.append(chosen)
            if chosen.slot is not None:
                slots.take(chosen.slot, chosen.run.identifier)
            # The group's next run comes later in the line, which is at its next group then.
            self.discard(chosen.run.identifier)
            if key in self._low and not self._groups[key]:
                break
            busier = free[chosen.worker].with_run(chosen.run)
            if selector.is_available(busier):
                free[chosen.worker] = busier
            else:
                del free[chosen.worker]
        return assignments

    def _choose(
        self,
        group: RunGroup,
        free: dict[str, Candidate],
        selector: WorkerSelector,
        held: Collection[tuple[str, str]],
        slots: Slots,
    ) -> Assignment | None:
        run, able = group.head(), group.able
        assert run is not None
        assert able is not None
        if (run.request.project, run.request.job) in held or able.isdisjoint(free):
            return None
        limited = group_of(run.request)
        slot = None if limited is None else slots.next_free(limited)
        if limited is not None and slot is None:
            return None
        chosen = selector.select(run, [candidate for name, candidate in free.items() if name in able])
        return None if chosen is None else Assignment(run, chosen.identifier, slot)

    # ---------- who could ever take what

    def _look_at_workers(self, here: dict[str, Candidate], selector: WorkerSelector) -> None:
        """Looks at the groups that are new, and at all where workers came, went, or became others than they were."""
        known, self._workers = self._workers, here
        gone = known.keys() - here.keys()
        changed = [one for name, one in here.items() if name not in known or not one.is_like(known[name])]
        for key in self._groups if gone or changed else self._new:
            group = self._groups[key]
            to_look_at = here.values() if group.able is None else changed
            able = (group.able or set()) - gone - {one.identifier for one in changed}
            group.able = able | {one.identifier for one in to_look_at if selector.could_ever_take(group.request, one)}
            self._put_in_line(key)
        self._new.clear()

    def _put_in_line(self, key: str) -> None:
        """Where it belongs now."""
        before, now = self._places.get(key), self._groups[key].place()
        if before == now:
            return
        if before is not None:
            del self._line[bisect_left(self._line, (before, key))]
            del self._places[key]
        if now is not None:
            insort(self._line, (now, key))
            self._places[key] = now

    def _on_new(self, key: str) -> None:
        self._new.add(key)

    def _on_changed(self, key: str) -> None:
        self._put_in_line(key)

    def _on_gone(self, key: str) -> None:
        self._new.discard(key)
