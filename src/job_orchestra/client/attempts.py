"""One attempt of a run, as the run itself would be told of if it had no other."""

from __future__ import annotations

from msgspec.structs import replace

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.logs import LogAnswer
from job_orchestra.protocol.resources.runs import RunAnswer


def as_attempt(run: RunAnswer, attempt: int) -> RunAnswer:
    """NotFound for an attempt that there has not been. Of one that a worker refused nothing is known, and no log."""
    if attempt == run.attempt:
        return run
    if not 1 <= attempt < run.attempt:
        raise NotFound("attempt", f"{run.identifier}/{attempt}")
    past = next((one for one in run.past_attempts if one.attempt == attempt), None)
    if past is None:
        return replace(
            run,
            attempt=attempt,
            status=RunStatus.PENDING.value,
            reason=None,
            worker=None,
            assigned_at=None,
            started_at=None,
            ended_at=run.created_at,
            duration=None,
            log=LogAnswer(0, None),
        )
    return replace(
        run,
        attempt=attempt,
        status=past.status,
        reason=past.reason,
        worker=past.worker,
        assigned_at=past.assigned_at,
        started_at=past.started_at,
        ended_at=past.ended_at,
        duration=past.duration,
        log=past.log,
    )
