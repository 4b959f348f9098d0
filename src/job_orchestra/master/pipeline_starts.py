"""Pipelines that wait: each begins at once, unless its job is disabled. They need no worker."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Started
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.runs import Run
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.outage import Outage
from job_orchestra.master.run_news import RunNews
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

    async def start(self, held: Collection[tuple[str, str]]) -> bool:
        """All but those of the jobs that are held; whether there were any."""
        free = [run for run in self._waiting.values() if (run.request.project, run.request.job) not in held]
        for start in range(0, len(free), _AT_ONCE):
            await asyncio.gather(*(self._start(run) for run in free[start : start + _AT_ONCE]))
        return bool(free)

    async def _start(self, run: Run) -> None:
        self.discard(run.identifier)
        started = Started(run.journal_sequence + 1, self._clock.now())
        after = apply_event(run, started)
        # If another master was quicker, or a user cancelled it, it is found so by who looks at it next.
        if await self._outage.outlast(lambda: self._progress.save(run, after, [event_to_record(started)])):
            reach(FailPoint.MASTER_PIPELINE_STARTED)
            self._news.tell(after)
