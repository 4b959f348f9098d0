"""Runs that have ended, as many as wanted, at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from job_orchestra.domain.identifiers import new_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.rows.runs import run_to_row
from job_orchestra.storage.port import Batch, Insert, Storage
from job_orchestra.storage.schema import RUNS
from tests.repositories.records import USER, request_of

_AT_ONCE = 500


def past_run(
    created_at: datetime,
    status: RunStatus = RunStatus.SUCCEEDED,
    *,
    number: int = 0,
    job: str = "j",
    project: str = "p",
    took: timedelta = timedelta(),
    source_run: str | None = None,
    key: str | None = None,
    is_pinned: bool = False,
) -> Run:
    """Of those of the same millisecond, `number` makes the identifier."""
    run = Run(
        identifier=new_run_identifier(to_microseconds(created_at) // 1000, number),
        request=request_of(project, job),
        source=USER if source_run is None else Source(SourceKind.RUN, source_run),
        created_at=created_at,
        idempotency_key=key,
        status=status,
        is_pinned=is_pinned,
    )
    if not status.is_terminal:
        return run
    return replace(run, reason=Reason(ReasonCode.COMPLETED, "It ended."), ended_at=created_at + took)


async def store(storage: Storage, runs: Iterable[Run]) -> None:
    inserts = [Insert(RUNS.name, run_to_row(run)) for run in runs]
    for start in range(0, len(inserts), _AT_ONCE):
        assert (await storage.write(Batch(tuple(inserts[start : start + _AT_ONCE])))).is_applied
