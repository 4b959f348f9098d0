"""How runs come to be."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.identifiers import new_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.runs import Run, RunRequest, Source
from job_orchestra.repositories.conditions import ATTEMPTS, Contended, equal, find_one
from job_orchestra.repositories.rows.runs import run_from_row, run_to_row
from job_orchestra.storage.port import Batch, Find, Insert, Storage, Update
from job_orchestra.storage.schema import RUNS


@dataclass(frozen=True, slots=True)
class Triggered:
    run: Run
    is_new: bool
    """False: the idempotency key was used before, and this is the run that it made."""


async def insert_run(
    storage: Storage,
    clock: Clock,
    request: RunRequest,
    source: Source,
    idempotency_key: str | None = None,
    retry_of: str | None = None,
    provided: Sequence[Update] = (),
) -> Triggered | None:
    """Durable when it returns. None if what it is provided with, which is asked first, does not match."""
    for _ in range(ATTEMPTS):
        now = clock.now()
        run = Run(
            identifier=new_run_identifier(to_microseconds(now) // 1000, secrets.randbits(40)),
            request=request,
            source=source,
            created_at=now,
            idempotency_key=idempotency_key,
            retry_of=retry_of,
        )
        outcome = await storage.write(Batch((*provided, Insert(RUNS.name, run_to_row(run)))))
        if outcome.is_applied:
            return Triggered(run, is_new=True)
        earlier = await run_of_key(storage, request, idempotency_key)
        if earlier is not None:
            return Triggered(earlier, is_new=False)
        if outcome.failed_at is not None and outcome.failed_at < len(provided):
            return None
        # Two runs of one millisecond drew the same 40 bits: once more.
    raise Contended(f"Job {request.job!r}")


async def run_of_key(storage: Storage, request: RunRequest, idempotency_key: str | None) -> Run | None:
    """The run that the key made before."""
    if idempotency_key is None:
        return None
    where = (
        equal("project", request.project),
        equal("job", request.job),
        equal("idempotency_key", idempotency_key),
    )
    row = await find_one(storage, Find(RUNS.name, where))
    return None if row is None else run_from_row(row)
