"""Pipelines that are running: what wakes them, and a task for each, which takes its steps."""

from __future__ import annotations

import asyncio
import logging

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.errors import Invalid, Unavailable
from job_orchestra.domain.runs import Run, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.master.outage import Outage
from job_orchestra.master.pipeline_steps import Outdated, PipelineSteps
from job_orchestra.master.pipeline_watch import PipelineWatch
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.storage.port import Row

_logger = logging.getLogger(__name__)

_REST_FOR_A_PART = 3e-5
"""Seconds between two looks, for each part: about what a look takes.

So a large pipeline takes half of the master's time at most, for what happens in between is looked at together; and a
small one waits for nothing that anybody could notice.
"""


class Pipelines:
    """Any master may take a step of any pipeline, and several may try: see `PipelineSteps`."""

    def __init__(self, pipeline_runs: PipelineRuns, steps: PipelineSteps, outage: Outage, clock: Clock) -> None:
        self._pipeline_runs = pipeline_runs
        self._steps = steps
        self._outage = outage
        self._clock = clock
        self._watches: dict[str, PipelineWatch] = {}
        self._wake = asyncio.Event()
        self._new: dict[str, Run] = {}
        self._complaints: dict[str, str] = {}

    # ---------- what wakes it

    def on_news(self, run: Run) -> None:
        """A run has changed, by what this master did or was told."""
        if run.source.kind is SourceKind.RUN and run.request.part and run.source.identifier in self._watches:
            self._watches[run.source.identifier].note_part(run, self._clock.now())
        if isinstance(run.request.definition, PipelineDefinition) and run.status is RunStatus.RUNNING:
            self._see(run)

    async def look_at_run(self, run: str) -> None:
        """A user wishes something of this run, which may be a pipeline."""
        if run in self._watches:
            for found in await self._outage.outlast(lambda: self._pipeline_runs.load([run])):
                self._see(found)

    async def look(self) -> None:
        """The safety poll: pipelines, wishes and ends of parts that nobody told of."""
        rows = await self._outage.outlast(self._pipeline_runs.running)
        running = {run.identifier: run for run in map(self._readable, rows) if run is not None}
        for run in running.values():
            self._see(run)
        missing = [name for name in self._watches if name not in running]
        for run in await self._outage.outlast(lambda: self._pipeline_runs.load(missing)):
            self._see(run)
        awaited = [name for watch in self._watches.values() for name in watch.unfinished]
        for run in await self._outage.outlast(lambda: self._pipeline_runs.ended(awaited)):
            self.on_news(run)

    def _see(self, run: Run) -> None:
        watch = self._watches.get(run.identifier)
        if watch is not None:
            watch.note_run(run)
        elif run.status is RunStatus.RUNNING:
            self._new[run.identifier] = run
            self._wake.set()

    def _readable(self, row: Row) -> Run | None:
        try:
            return run_from_row(row)
        except (Invalid, ValueError) as error:
            self._complain(str(row["identifier"]), f"Its record cannot be read: {error}", error)
            return None

    def _complain(self, run: str, message: str, error: Exception) -> None:
        if self._complaints.get(run) != message:
            self._complaints[run] = message
            _logger.error("Pipeline %s stands still: %s", run, message, exc_info=error)

    # ---------- the work

    async def run(self) -> None:
        """Until it is cancelled; one task for each pipeline that is running."""
        await self.look()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._wake.wait()
                self._wake.clear()
                new, self._new = self._new, {}
                for run in new.values():
                    if run.identifier not in self._watches:
                        watch = self._watches[run.identifier] = PipelineWatch(run)
                        tasks.create_task(self._attend(watch), name=f"pipeline {run.identifier}")

    async def _attend(self, watch: PipelineWatch) -> None:
        """Until the pipeline has ended."""
        name = watch.run.identifier
        try:
            while not watch.run.status.is_terminal:
                watch.changed.clear()
                try:
                    await self._steps.advance(watch)
                except Outdated:
                    watch.is_loaded = False
                    watch.changed.set()
                if not watch.run.status.is_terminal:
                    await asyncio.sleep(_REST_FOR_A_PART * len(watch.runs))
                    await watch.changed.wait()
            self._complaints.pop(name, None)
        except Unavailable:
            raise  # the master stops
        except Exception as error:
            # One pipeline that cannot be understood must not stop all others; each poll looks at it again.
            self._complain(name, repr(error), error)
        finally:
            del self._watches[name]
