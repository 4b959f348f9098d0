"""Pipelines that wait: each begins at once, unless its job is disabled or its group full. They need no worker."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from heapq import heapify, heappop, heappush

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.concurrency import group_of
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Started
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.runs import Run
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.outage import Outage
from job_orchestra.master.run_group import place_in_queue
from job_orchestra.master.run_groups import RunGroups
from job_orchestra.master.run_news import RunNews
from job_orchestra.master.slots import Slots
from job_orchestra.repositories.run_progress import RunProgress

_AT_ONCE = 200


class PipelineStarts(RunGroups):
    def __init__(self, progress: RunProgress, news: RunNews, outage: Outage, clock: Clock) -> None:
        super().__init__()
        self._progress = progress
        self._news = news
        self._outage = outage
        self._clock = clock

    async def start(self, held: Collection[tuple[str, str]], slots: Slots) -> dict[str, bool]:
        """Some of those that may begin, which wait no more; of each, whether it began. None if none may.

        Not those of the jobs that are held and of full concurrency groups.
        """
        going = self._take(held, slots)
        begun = await asyncio.gather(*(self._start(run, with_slot) for run, with_slot in going))
        return {run.identifier: has_begun for (run, _), has_begun in zip(going, begun, strict=True)}

    def _take(self, held: Collection[tuple[str, str]], slots: Slots) -> list[tuple[Run, Run]]:
        """The most urgent ones, each as it is and with its slot; what a look costs depends on the groups alone.

        A group of which the first cannot begin is not looked at again. It ends where a group has to be refilled.
        """
        line = [(place_in_queue(head), key) for key, group in self._groups.items() if (head := group.head())]
        heapify(line)
        going: list[tuple[Run, Run]] = []
        while line and len(going) < _AT_ONCE:
            _, key = heappop(line)
            group = self._groups[key]
            run = group.head()
            assert run is not None
            with_slot = None if (run.request.project, run.request.job) in held else _with_slot(run, slots)
            if with_slot is None:
                continue
            going.append((run, with_slot))
            self.discard(run.identifier)
            if head := group.head():
                heappush(line, (place_in_queue(head), key))
            elif key in self._low:
                break
        return going

    async def _start(self, before: Run, run: Run) -> bool:
        """False if another master was quicker, with it or with its slot, or a user cancelled it."""
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
