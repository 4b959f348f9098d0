"""When a run counts as lost because its worker is gone, and what becomes of it then. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from job_orchestra.domain.jobs import OnLost
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.workers import Worker

MOST_LOSSES = 10
"""A run that is lost so often ends: something about it, or about its workers, is wrong."""


class Outcome(Enum):
    END = "end"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Loss:
    """From `at` on the run counts as lost."""

    at: datetime
    outcome: Outcome
    sentence: str


def foresee_loss(run: Run, worker: Worker | None) -> Loss | None:
    """When and how the run is lost if its worker stays away; None if it is there, or may be waited for without end.

    `worker` is the record of the one that the run is assigned to, None if that was deleted.
    """
    if worker is None:
        assigned = run.assigned_at or run.created_at
        return Loss(assigned, outcome_of_loss(run), f"Worker {run.worker} was deleted before it reported the end.")
    if worker.is_connected:
        return None
    policy = run.request.loss
    is_unwanted = run.should_abort or run.should_cancel
    if policy.on_lost is OnLost.WAIT and not is_unwanted:
        return None
    moments = (worker.disconnected_at, run.assigned_at, run.created_at)
    since = max(moment for moment in moments if moment is not None)
    sentence = f"Worker {run.worker} has been away since {since:%Y-%m-%d %H:%M:%S} UTC, for {policy.after:g} seconds"
    ending = f", and {run.wished_by} asked to stop the run." if is_unwanted else "."
    return Loss(since + timedelta(seconds=policy.after), outcome_of_loss(run), sentence + ending)


def outcome_of_loss(run: Run) -> Outcome:
    """What the job's policy makes of the run once it is lost; one that users want stopped is not retried.

    Attempts that were refused are no losses: nothing of them was begun.
    """
    is_unwanted = run.should_abort or run.should_cancel
    may_retry = run.request.loss.on_lost is OnLost.RETRY and losses_of(run) + 1 < MOST_LOSSES
    return Outcome.RETRY if may_retry and not is_unwanted else Outcome.END


def losses_of(run: Run) -> int:
    """How often the run was lost before its present attempt."""
    return sum(past.reason.code is ReasonCode.WORKER_LOST for past in run.past_attempts)
