"""What is promised of pipelines, checked at the moment at which it could be broken."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.event_records import EventRecord, record_to_event
from job_orchestra.domain.events import ElementSkipped, Event, PartEnded, PartRefused, PartTriggered
from job_orchestra.domain.pipelines.narration import lines_of, refusals_in
from job_orchestra.domain.pipelines.parts import part_key
from job_orchestra.domain.pipelines.states import PipelineSnapshot, element_states
from job_orchestra.domain.pipelines.steps import end_of, parts_to_trigger
from job_orchestra.domain.runs import Run, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.storage.log_port import LogKey
from job_orchestra.storage.schema import EVENTS, RUNS
from tests.simulation.memory_logs import LogBytes
from tests.simulation.memory_storage import MemoryDatabase, Stored
from tests.simulation.world import World


class PipelinePromises:
    def __init__(self, world: World, database: MemoryDatabase, logs: LogBytes) -> None:
        self._world = world
        self._database = database
        self._logs = logs
        self._written: dict[LogKey, bytes] = {}

    def is_pipeline(self, run: str) -> bool:
        return isinstance(self._run(run).request.definition, PipelineDefinition)

    # ---------- what happens

    def on_new_run(self, row: Stored) -> None:
        """One that a pipeline has triggered comes in its turn, and alone."""
        run = self._decoded(row)
        if run.source.kind is not SourceKind.RUN:
            return
        pipeline, name = self._run(run.source.identifier), f"{run.source.identifier}: {run.request.part}"
        self._world.say("database", f"{run.identifier} is {name}")
        parts = [one for one in self._parts_of(pipeline) if one.identifier != run.identifier]
        is_first = all(one.request.part != run.request.part for one in parts)
        self._world.require(is_first, f"pipelines: {name} gets a second run, {run.identifier}")
        is_wanted = pipeline.status is RunStatus.RUNNING and not pipeline.should_abort
        self._world.require(is_wanted, f"pipelines: {name} is triggered, and the pipeline is over or to be aborted")
        due = {part.key.label for part in parts_to_trigger(element_states(self._snapshot(pipeline, parts)))}
        self._world.require(run.request.part in due, f"pipelines: {name} is triggered, and due are {due}")

    def on_log(self, key: LogKey, log: bytearray) -> None:
        before, told = self._written.get(key, b""), self._told(key.run)
        self._written[key] = bytes(log)
        self._world.require(log.startswith(before), f"P4: the log of pipeline {key.run} is no longer what it was")
        self._world.require(told.startswith(log), f"P4: the log of pipeline {key.run} tells what its journal does not")

    def on_end(self, row: Stored) -> None:
        run = self._decoded(row)
        if run.status is RunStatus.CANCELLED:
            return
        parts = self._parts_of(run)
        going = [one.identifier for one in parts if not one.status.is_terminal]
        self._world.require(not going, f"pipelines: {run.identifier} is {run.status}, and {going} go on")
        self._check_end(run, parts)
        events = self._events_of(run.identifier)
        self._check_journal(run, parts, events)
        log = bytes(self._logs.logs[LogKey("p", run.identifier, 1)])
        is_told = log == self._told(run.identifier)
        self._world.require(is_told, f"P4: the log of pipeline {run.identifier} is not what its journal tells")
        facts = (len(log), sha256(log).hexdigest())
        self._world.require((run.log.size, run.log.sha256) == facts, f"P4: size or hash of {run.identifier} is wrong")

    # ---------- what it is compared with

    def _check_end(self, run: Run, parts: Sequence[Run]) -> None:
        end = end_of(run, element_states(self._snapshot(run, parts)))
        if end is None:
            self._world.violate(f"pipelines: {run.identifier} has ended, and its elements have not")
        elif not run.should_abort:  # which may have come when it was decided
            is_so = (run.status, run.reason, run.results) == (end.status, end.reason, end.results)
            self._world.require(
                is_so, f"pipelines: {run.identifier} is {run.status} ({run.reason}), and comes to {end}"
            )

    def _check_journal(self, run: Run, parts: Sequence[Run], events: Sequence[Event]) -> None:
        numbers = [event.sequence for event in events]
        is_whole = numbers == list(range(1, run.journal_sequence + 1))
        self._world.require(is_whole, f"P4: the journal of {run.identifier} has {numbers} of {run.journal_sequence}")
        told = Counter((type(event), _subject(event)) for event in events)
        self._world.require(set(told.values()) == {1}, f"P4: the journal of {run.identifier} repeats itself: {told}")
        for kind in (PartTriggered, PartEnded):
            labels = {event.part for event in events if isinstance(event, kind)}
            is_same = labels == {part.request.part for part in parts}
            self._world.require(is_same, f"P4: the journal of {run.identifier} has {kind.__name__} of {labels} only")

    def _snapshot(self, run: Run, parts: Sequence[Run]) -> PipelineSnapshot:
        refusals = refusals_in(self._events_of(run.identifier))
        return PipelineSnapshot(run, {part_key(part.request.part): part for part in parts}, refusals)

    def _told(self, run: str) -> bytes:
        return b"".join(lines_of(event, self._run(run)) for event in self._events_of(run))

    def _events_of(self, run: str) -> list[Event]:
        table = self._database.table(EVENTS.name)
        events: list[Event] = []
        while row := table.rows.get((run, 1, len(events) + 1)):
            record = EventRecord(row["sequence"], row["kind"], row["date"], json.loads(row["data"]))
            events.append(record_to_event(record))
        return events

    def _parts_of(self, pipeline: Run) -> list[Run]:
        rows = self._database.table(RUNS.name).rows.values()
        return [self._decoded(row) for row in rows if row["source_identifier"] == pipeline.identifier]

    def _run(self, run: str) -> Run:
        return self._decoded(self._database.table(RUNS.name).rows[run,])

    def _decoded(self, row: Stored) -> Run:
        return run_from_row(self._database.table(RUNS.name).decoded(row))


def _subject(event: Event) -> str:
    if isinstance(event, (PartTriggered, PartEnded, PartRefused)):
        return event.part
    return event.element if isinstance(event, ElementSkipped) else ""
