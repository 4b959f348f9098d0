from __future__ import annotations

from job_orchestra.domain.workers import Refusal, Worker
from job_orchestra.protocol.resources.workers import RefusalAnswer, WorkerAnswer
from job_orchestra.service.answers.dates import iso, optional_iso


def worker_answer(worker: Worker, active_runs: int) -> WorkerAnswer:
    description = worker.description
    return WorkerAnswer(
        identifier=worker.identifier,
        display_name=description.display_name,
        owner=worker.owner,
        version=description.version,
        properties=description.properties,
        executor_limit=description.executor_limit,
        active_runs=active_runs,
        is_enabled=worker.is_enabled,
        is_connected=worker.is_connected,
        is_draining=worker.should_drain,
        hindrance=description.hindrance if worker.is_connected else "",
        refusal=_refusal_answer(description.refusal) if worker.is_connected else None,
        registered_at=iso(worker.registered_at),
        connected_at=optional_iso(worker.connected_at),
        disconnected_at=optional_iso(worker.disconnected_at),
        skew=worker.skew,
    )


def _refusal_answer(refusal: Refusal | None) -> RefusalAnswer | None:
    if refusal is None:
        return None
    return RefusalAnswer(refusal.run, refusal.reason, iso(refusal.date), iso(refusal.until))
