"""Workers that are registered as a master registers them, without a master."""

from __future__ import annotations

from job_orchestra.domain.workers import Worker, WorkerDescription
from job_orchestra.repositories.conditions import ATTEMPTS
from job_orchestra.repositories.workers import Workers


async def connect_worker(
    workers: Workers,
    identifier: str,
    owner: str,
    instance: str,
    description: WorkerDescription,
    skew: float,
    master: str,
) -> Worker:
    """The worker connected; Conflict as `register` has it."""
    for _ in range(ATTEMPTS):
        known = await workers.find(identifier)
        worker = await workers.register(known, identifier, owner, instance, description, skew, master)
        if worker is not None:
            return worker
    raise AssertionError(f"Worker {identifier!r} is changed by others all the time.")
