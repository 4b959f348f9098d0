"""Pipelines that wait: each begins at once, unless its job is disabled or its group full. They need no worker."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.concurrency import group_of
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Started
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.runs import Run
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.outage import Outage
from job_orchestra.master.run_group import place_in_queue
from job_orchestra.master.run_news import RunNews
from job_orchestra.master.slots import Slots
from job_orchestra.repositories.run_progress import RunProgress

_AT_ONCE = 200


class PipelineStarts:
    def __init__(self, progress: RunProgress, news: RunNews, outage: Outage, clock: Clock) -> None:
        self._progress = progress
        self._news = news
        self._outage = outage
        self._clock = clock
        self._waiting: dict[str, Run] = {}
        self._groups_with_more: set[str] = set()

    def __contains__(self, run: str) -> bool:
        return run in self._waiting

    def add(self, run: Run) -> None:
        """May be called again for the same run."""
        self._waiting[run.identifier] = run

    def discard(self, run: str) -> None:
        """It waits no more; unknown ones are fine."""
        self._waiting.pop(run, None)

    def note_more(self, key: str) -> None:
        """The database has more of the group than were added."""
        self._groups_with_more.add(key)

    def take_groups_with_more(self) -> set[str]:
        """They are not named again until noted again."""
        groups, self._groups_with_more = self._groups_with_more, set()
        return groups

    @property
    def has_limited(self) -> bool:
        """Whether there are runs of concurrency groups."""
        return any(run.request.concurrency is not None for run in self._waiting.values())

    async def start(self, held: Collection[tuple[str, str]], slots: Slots) -> dict[str, bool]:
        """All but those of the jobs that are held and of full concurrency groups; of each, whether it began."""
        free = [run for run in self._waiting.values() if (run.request.project, run.request.job) not in held]
        going = [with_slot for run in sorted(free, key=place_in_queue) if (with_slot := _with_slot(run, slots))]
        outcomes: dict[str, bool] = {}
        for start in range(0, len(going), _AT_ONCE):
            some = going[start : start + _AT_ONCE]
            begun = await asyncio.gather(*(self._start(run) for run in some))
            outcomes |= {run.identifier: has_begun for run, has_begun in zip(some, begun, strict=True)}
        return outcomes

    async def _start(self, run: Run) -> bool:
        """False if another master was quicker, with it or with its slot, or a user cancelled it."""
        before = self._waiting.pop(run.identifier)
        started = Started(run.journal_sequence + 1, self._clock.now())
        after = apply_event(run, started)
        if not await self._outage.outlast(lambda: self._progress.save(before, after, [event_to_record(started)])):
            return False
        reach(FailPoint.MASTER_PIPELINE_STARTED)
        self._news.tell(after)
        return True


def _with_slot(run: Run, slots: Slots) -> Run | None:
    """None while its concurrency group is full."""
    group = group_of(run.request)
    if group is None:
        return run
    slot = slots.next_free(group)
    if slot is None:
        return None
    slots.take(slot, run.identifier)
    return replace(run, slot=slot)
