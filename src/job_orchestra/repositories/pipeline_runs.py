"""Runs of pipelines and of their parts, as the master sees them."""

from __future__ import annotations

from collections.abc import Iterable

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.event_records import record_to_event
from job_orchestra.domain.events import Event
from job_orchestra.domain.pipelines.parts import PartKey, part_key
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import TERMINAL, RunStatus
from job_orchestra.repositories.conditions import among, equal, find_everything
from job_orchestra.repositories.insertion import insert_run
from job_orchestra.repositories.rows.events import event_from_row
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.storage.port import Condition, Find, Order, Row, Storage, Update
from job_orchestra.storage.schema import EVENTS, RUNS

_AT_ONCE = 500
_BY_IDENTIFIER = (Order("identifier"),)
_RUNNING = (equal("status", RunStatus.RUNNING.value), equal("worker", None))
"""What is running without a worker is a pipeline."""


class PipelineRuns:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def running(self) -> list[Row]:
        """All pipelines that are; to be read by `run_from_row`, which may refuse one of them."""
        return await find_everything(self._storage, Find(RUNS.name, _RUNNING, _BY_IDENTIFIER))

    async def parts_of(self, pipeline: Run) -> dict[PartKey, Run]:
        """The runs of its parts, with those kept from an earlier run of it."""
        source = (
            equal("source_kind", SourceKind.RUN.value),
            equal("source_identifier", pipeline.identifier),
        )
        rows = await find_everything(self._storage, Find(RUNS.name, source, _BY_IDENTIFIER))
        own = [run_from_row(row) for row in rows]
        kept = {one.run: part_key(one.part) for one in pipeline.request.kept}
        earlier = {kept[run.identifier]: run for run in await self.load(kept)}
        return earlier | {part_key(run.request.part): run for run in own if run.request.part}

    async def load(self, runs: Iterable[str]) -> list[Run]:
        """Those of them that there are."""
        return await self._find(runs)

    async def ended(self, runs: Iterable[str]) -> list[Run]:
        """Those of them that have ended."""
        return await self._find(runs, among("status", TERMINAL))

    async def _find(self, runs: Iterable[str], *more: Condition) -> list[Run]:
        wanted = sorted(set(runs))
        found: list[Run] = []
        for start in range(0, len(wanted), _AT_ONCE):
            where = (among("identifier", wanted[start : start + _AT_ONCE]), *more)
            rows = await self._storage.find(Find(RUNS.name, where, _BY_IDENTIFIER, limit=_AT_ONCE))
            found += map(run_from_row, rows)
        return found

    async def events_of(self, pipeline: Run) -> list[Event]:
        where = (equal("run", pipeline.identifier), equal("attempt", pipeline.attempt))
        order = (Order("run"), Order("attempt"), Order("sequence"))
        rows = await find_everything(self._storage, Find(EVENTS.name, where, order))
        return [record_to_event(event_from_row(row).record) for row in rows]

    async def trigger(self, pipeline: Run, part: PartKey, request: RunRequest) -> Run | None:
        """The run of the part, whoever triggered it; None if the pipeline is no longer as far as this.

        That is, it has ended, is to be aborted, or its journal has grown, by another master.
        """
        is_wanted = (
            equal("identifier", pipeline.identifier),
            equal("status", RunStatus.RUNNING.value),
            equal("should_abort", False),
            equal("journal_sequence", pipeline.journal_sequence),
        )
        provided = Update(RUNS.name, is_wanted, {"status": RunStatus.RUNNING.value})
        triggered = await insert_run(
            self._storage,
            self._clock,
            request,
            Source(SourceKind.RUN, pipeline.identifier),
            idempotency_key_of(pipeline, part),
            provided=[provided],
        )
        return None if triggered is None else triggered.run


def idempotency_key_of(pipeline: Run, part: PartKey) -> str:
    """With a sign that no key of a user's can have, so that nobody takes the place of a part."""
    return f"{pipeline.identifier} → {part.label}"
