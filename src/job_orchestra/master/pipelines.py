"""Carries pipelines through: triggers the runs of their parts, tells what became of them, and ends them.

Everything about a pipeline is in the database, so any master may take the next step, and several may try: a part has
one run by its idempotency key, journal and end are compare-and-set. A step that is cut short is taken again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.errors import Conflict, Invalid, NotFound, Unavailable
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Ended, Event, PartRefused, ResultsChanged
from job_orchestra.domain.pipelines.narration import last_line, news_of
from job_orchestra.domain.pipelines.states import PartState, element_states
from job_orchestra.domain.pipelines.steps import PipelineEnd, end_of, parts_to_trigger, runs_to_stop
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.runs import LogFacts, Run, RunRequest, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.triggering import request_of
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.dispatcher import Dispatcher
from job_orchestra.master.intake import log_key
from job_orchestra.master.outage import Outage
from job_orchestra.master.pipeline_watch import PipelineWatch
from job_orchestra.master.run_news import RunNews
from job_orchestra.master.services import ServiceLinks
from job_orchestra.master.wishes import Wishes
from job_orchestra.protocol.control import LogGrew
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.runs import Runs
from job_orchestra.storage.log_port import LogEnded, LogPiece, LogStore
from job_orchestra.storage.port import Row

_logger = logging.getLogger(__name__)

_AT_ONCE = 200
"""Parts that are triggered together."""


class _Outdated(Exception):
    """Another master has gone on with the pipeline: what is known of it has to be read anew."""


class Pipelines:
    def __init__(
        self,
        *,
        pipeline_runs: PipelineRuns,
        runs: Runs,
        jobs: Jobs,
        progress: RunProgress,
        log_store: LogStore,
        dispatcher: Dispatcher,
        wishes: Wishes,
        news: RunNews,
        services: ServiceLinks,
        outage: Outage,
        clock: Clock,
    ) -> None:
        self._pipeline_runs = pipeline_runs
        self._runs = runs
        self._jobs = jobs
        self._progress = progress
        self._log_store = log_store
        self._dispatcher = dispatcher
        self._wishes = wishes
        self._news = news
        self._services = services
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
        for run in await self._outage.outlast(lambda: self._pipeline_runs.load(awaited)):
            if run.status.is_terminal:
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
                    await self._advance(watch)
                except _Outdated:
                    watch.is_loaded = False
                    watch.changed.set()
                if not watch.run.status.is_terminal:
                    await watch.changed.wait()
            self._complaints.pop(name, None)
        except Unavailable:
            raise  # the master stops
        except Exception as error:
            # One pipeline that cannot be understood must not stop all others; each poll looks at it again.
            self._complain(name, repr(error), error)
        finally:
            del self._watches[name]

    async def _advance(self, watch: PipelineWatch) -> None:
        """Takes every step that can be taken now."""
        if not watch.is_loaded:
            await self._load(watch)
        states = element_states(watch.snapshot)
        while parts := parts_to_trigger(states):
            await self._trigger(watch, parts)
            states = element_states(watch.snapshot)
        for run in runs_to_stop(watch.run, states):
            await self._stop(watch, run)
        await self._tell(watch, news_of(states, watch.told, watch.run, self._clock.now(), watch.ended))
        end = end_of(watch.run, states)
        if end is not None:
            await self._end(watch, end)

    async def _load(self, watch: PipelineWatch) -> None:
        found = await self._outage.outlast(lambda: self._pipeline_runs.load([watch.run.identifier]))
        if not found:
            raise Conflict(f"The record of pipeline {watch.run.identifier} is gone.")
        [run] = found
        if run.status.is_terminal:
            watch.run = run
            return
        # In this order: what the parts have come to is then at least what the journal tells.
        events = await self._outage.outlast(lambda: self._pipeline_runs.events_of(run))
        parts = await self._outage.outlast(lambda: self._pipeline_runs.parts_of(run))
        known = [event for event in events if event.sequence <= run.journal_sequence]
        watch.load(run, parts, known)
        await self._write(watch, 0)

    # ---------- triggering

    async def _trigger(self, watch: PipelineWatch, parts: Sequence[PartState]) -> None:
        for start in range(0, len(parts), _AT_ONCE):
            some = parts[start : start + _AT_ONCE]
            refusals = await asyncio.gather(*(self._trigger_part(watch, part) for part in some))
            sequence = watch.run.journal_sequence
            events = [refusal for refusal in refusals if refusal is not None]
            await self._tell(watch, [replace(one, sequence=sequence + place) for place, one in enumerate(events, 1)])

    async def _trigger_part(self, watch: PipelineWatch, part: PartState) -> PartRefused | None:
        """What is to be told if the part cannot have a run."""
        try:
            request = await self._request(watch.run, part)
        except (Conflict, Invalid, NotFound) as error:
            return PartRefused(0, self._clock.now(), part.key.label, str(error))
        run = await self._outage.outlast(lambda: self._pipeline_runs.trigger(watch.run, part.key, request))
        if run is None:
            raise _Outdated
        reach(FailPoint.MASTER_PART_TRIGGERED)
        watch.runs[part.key] = run
        self._dispatcher.offer(run)
        return None

    async def _request(self, pipeline: Run, part: PartState) -> RunRequest:
        definition = pipeline.request.definition
        assert isinstance(definition, PipelineDefinition)
        element = next(one for one in definition.elements if one.identifier == part.key.element)
        project = element.project or pipeline.request.project
        job = await self._outage.outlast(lambda: self._jobs.get(project, element.job))
        request = request_of(job, part.parameters, max(job.settings.priority, pipeline.request.priority))
        return replace(request, part=part.key.label)

    async def _stop(self, watch: PipelineWatch, run: Run) -> None:
        by = watch.run.wished_by or ""
        try:
            wished = await self._outage.outlast(
                lambda: self._runs.request_abort(run.request.project, run.identifier, by)
            )
        except Conflict:
            return  # It has ended just now, which is told as any end.
        watch.note_part(wished, self._clock.now())
        await self._wishes.look_at_run(run.identifier)

    # ---------- telling and ending

    async def _tell(self, watch: PipelineWatch, events: Sequence[Event]) -> None:
        if not events:
            return
        before = watch.run
        after = replace(before, log=LogFacts(len(watch.log)))
        for event in events:
            after = apply_event(after, event)
        records = [event_to_record(event) for event in events]
        if not await self._outage.outlast(lambda: self._progress.save(before, after, records)):
            raise _Outdated
        reach(FailPoint.MASTER_PART_TOLD)
        told = len(watch.log)
        watch.note_events(after, events)
        await self._write(watch, told)
        self._news.tell(after)

    async def _write(self, watch: PipelineWatch, offset: int) -> None:
        """The log from there on."""
        await self._append(LogPiece(log_key(watch.run), offset, watch.log[offset:]))
        self._services.tell(LogGrew(watch.run.identifier, watch.run.attempt, len(watch.log)))

    async def _append(self, piece: LogPiece) -> None:
        try:
            await self._outage.outlast(lambda: self._log_store.append([piece]))
        except LogEnded:
            # Another master has written its last line, and is about to end the pipeline, or was stopped before it did.
            _logger.info("The log of pipeline %s is complete already.", piece.key.run)

    async def _end(self, watch: PipelineWatch, end: PipelineEnd) -> None:
        run, key = watch.run, log_key(watch.run)
        assert watch.last is not None
        await self._append(LogPiece(key, len(watch.log), last_line(end, watch.last.date)))
        await self._outage.outlast(lambda: self._log_store.seal(key))
        size, digest = await self._outage.outlast(lambda: self._log_store.sha256(key))
        reach(FailPoint.MASTER_PIPELINE_CONCLUDED)
        now = self._clock.now()
        duration = max(0.0, (now - (run.started_at or now)).total_seconds())
        events: list[Event] = [
            ResultsChanged(run.journal_sequence + 1, now, end.results),
            Ended(run.journal_sequence + 2, now, end.status, end.reason, duration, size, digest),
        ]
        after = run
        for event in events:
            after = apply_event(after, event)
        records = [event_to_record(event) for event in events]
        if not await self._outage.outlast(lambda: self._progress.save(run, after, records)):
            raise _Outdated
        reach(FailPoint.MASTER_END_COMMITTED)
        watch.run = after
        self._news.tell(after)
