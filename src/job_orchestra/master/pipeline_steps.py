"""The steps of a pipeline: triggers the runs of its parts, tells what became of them, and ends it.

Everything about a pipeline is in the database, so any master may take the next step, and several may try: a part has
one run by its idempotency key, and who writes the next event of the journal has decided. A step that is cut short is
taken again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.definitions import ElementDefinition, PipelineDefinition
from job_orchestra.domain.errors import Conflict, Invalid, NotFound
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Concluded, Ended, Event, PartRefused
from job_orchestra.domain.jobs import Job
from job_orchestra.domain.pipelines.narration import conclusion_of, news_of
from job_orchestra.domain.pipelines.parts import PartKey
from job_orchestra.domain.pipelines.states import PartState, element_states
from job_orchestra.domain.pipelines.steps import end_of, parts_to_trigger, runs_to_stop
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.runs import LogFacts, Run, RunRequest
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
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.storage.log_port import LogPiece, LogStore

_AT_ONCE = 200
"""Parts that are triggered together."""

_JobsByName: TypeAlias = Mapping[tuple[str, str], Job | NotFound]


class Outdated(Exception):
    """Another master has gone on with the pipeline, or may have: what is known of it has to be read anew."""


class PipelineSteps:
    def __init__(
        self,
        *,
        pipeline_runs: PipelineRuns,
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
        self._jobs = jobs
        self._progress = progress
        self._log_store = log_store
        self._dispatcher = dispatcher
        self._wishes = wishes
        self._news = news
        self._services = services
        self._outage = outage
        self._clock = clock

    async def advance(self, watch: PipelineWatch) -> None:
        """Takes every step that can be taken now; Outdated if another master has taken one."""
        if not watch.is_loaded:
            await self._load(watch)
        if watch.conclusion is None and not watch.run.status.is_terminal:
            await self._go_on(watch)
        if watch.conclusion is not None and not watch.run.status.is_terminal:
            await self._end(watch, watch.conclusion)

    async def _go_on(self, watch: PipelineWatch) -> None:
        states = element_states(watch.snapshot)
        while parts := parts_to_trigger(states):
            await self._trigger(watch, parts)
            states = element_states(watch.snapshot)
        await self._wishes.stop_all(runs_to_stop(watch.run, states), watch.run.wished_by or "")
        await self._tell(watch, news_of(states, watch.told, watch.run, self._clock.now(), watch.ended))
        end = end_of(watch.run, states)
        if end is not None:
            await self._tell(watch, conclusion_of(end, watch.run, self._clock.now()))

    async def _load(self, watch: PipelineWatch) -> None:
        found = await self._outage.outlast(lambda: self._pipeline_runs.load([watch.run.identifier]))
        if not found:
            raise Conflict(f"The record of pipeline {watch.run.identifier} is gone.")
        [run] = found
        if run.status.is_terminal:
            watch.run = run
            # MongoDB: a part may have been triggered just when another master found everything stopped.
            left = await self._outage.outlast(lambda: self._pipeline_runs.parts_of(run))
            going = [one for one in left.values() if not one.status.is_terminal]
            await self._wishes.stop_all(going, run.wished_by or "")
            return
        # In this order: what the parts have come to is then at least what the journal tells.
        events = await self._outage.outlast(lambda: self._pipeline_runs.events_of(run))
        parts = await self._outage.outlast(lambda: self._pipeline_runs.parts_of(run))
        watch.load(await self._follow(run, events), parts, events)
        await self._write(watch, 0)

    async def _follow(self, run: Run, events: Iterable[Event]) -> Run:
        """The run as its journal tells; who wrote the last events may have died before the run followed them."""
        after = run
        for event in events:
            if event.sequence > run.journal_sequence:
                after = apply_event(after, event)
        if after is not run and not await self._outage.outlast(lambda: self._progress.save(run, after, ())):
            raise Outdated
        return after

    # ---------- triggering and stopping

    async def _trigger(self, watch: PipelineWatch, parts: Sequence[PartState]) -> None:
        jobs = await self._jobs_of(watch.run, parts)
        wanted: list[tuple[PartKey, RunRequest]] = []
        refused: list[PartRefused] = []
        for part in parts:
            try:
                wanted.append((part.key, _request(watch.run, part, jobs)))
            except (Conflict, Invalid, NotFound) as error:
                refused.append(PartRefused(0, self._clock.now(), part.key.label, str(error)))
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            if not all(await asyncio.gather(*(self._trigger_part(watch, *one) for one in some))):
                raise Outdated
        if refused:
            sequence = watch.run.journal_sequence
            await self._tell(watch, [replace(one, sequence=sequence + place) for place, one in enumerate(refused, 1)])
            # Another master may have found the job otherwise just before; from now on none can.
            raise Outdated

    async def _jobs_of(self, pipeline: Run, parts: Iterable[PartState]) -> _JobsByName:
        found: dict[tuple[str, str], Job | NotFound] = {}
        for project, job in dict.fromkeys(_job_of(pipeline, part) for part in parts):
            try:
                found[project, job] = await self._outage.outlast(lambda p=project, j=job: self._jobs.get(p, j))  # type: ignore[misc]
            except NotFound as error:
                found[project, job] = error
        return found

    async def _trigger_part(self, watch: PipelineWatch, part: PartKey, request: RunRequest) -> bool:
        run = await self._outage.outlast(lambda: self._pipeline_runs.trigger(watch.run, part, request))
        if run is None:
            return False
        reach(FailPoint.MASTER_PART_TRIGGERED)
        watch.note_triggered(run)
        self._dispatcher.offer(run)
        return True

    # ---------- telling and ending

    async def _tell(self, watch: PipelineWatch, events: Sequence[Event]) -> None:
        if not events:
            return
        before = watch.run
        after = replace(before, log=LogFacts(len(watch.log)))
        for event in events:
            after = apply_event(after, event)
        await self._commit(before, after, events)
        reach(FailPoint.MASTER_PART_TOLD)
        told = len(watch.log)
        watch.note_events(after, events)
        await self._write(watch, told)
        self._news.tell(after)

    async def _commit(self, before: Run, after: Run, events: Iterable[Event]) -> None:
        records = [event_to_record(event) for event in events]
        if not await self._outage.outlast(lambda: self._progress.write_journal(before, after, records)):
            raise Outdated

    async def _write(self, watch: PipelineWatch, offset: int) -> None:
        """The log from there on."""
        piece = LogPiece(log_key(watch.run), offset, watch.log[offset:])
        await self._outage.outlast(lambda: self._log_store.append([piece]))
        self._services.tell(LogGrew(watch.run.identifier, watch.run.attempt, len(watch.log)))

    async def _end(self, watch: PipelineWatch, conclusion: Concluded) -> None:
        run, key = watch.run, log_key(watch.run)
        await self._outage.outlast(lambda: self._log_store.seal(key))
        size, digest = await self._outage.outlast(lambda: self._log_store.sha256(key))
        reach(FailPoint.MASTER_PIPELINE_CONCLUDED)
        now = self._clock.now()
        duration = max(0.0, (now - (run.started_at or now)).total_seconds())
        sequence = run.journal_sequence + 1
        ended = Ended(sequence, now, conclusion.status, conclusion.reason, duration, size, digest)
        after = apply_event(run, ended)
        await self._commit(run, after, [ended])
        reach(FailPoint.MASTER_END_COMMITTED)
        watch.run = after
        self._news.tell(after)


def _job_of(pipeline: Run, part: PartState) -> tuple[str, str]:
    element = _element_of(pipeline, part)
    return element.project or pipeline.request.project, element.job


def _element_of(pipeline: Run, part: PartState) -> ElementDefinition:
    definition = pipeline.request.definition
    assert isinstance(definition, PipelineDefinition)
    return next(one for one in definition.elements if one.identifier == part.key.element)


def _request(pipeline: Run, part: PartState, jobs: _JobsByName) -> RunRequest:
    """Of the run that the part is to have; Conflict, Invalid or NotFound if its job cannot be triggered so."""
    job = jobs[_job_of(pipeline, part)]
    if isinstance(job, NotFound):
        raise job
    request = request_of(job, part.parameters, max(job.settings.priority, pipeline.request.priority))
    retry = _element_of(pipeline, part).retry
    return replace(request, part=part.key.label, retry=request.retry if retry is None else retry)
