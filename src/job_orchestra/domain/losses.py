"""When a run counts as lost because its worker is gone, and what becomes of it then. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from job_orchestra.domain.jobs import OnLost
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.domain.statuses import RunStatus, advance
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


def foresee_loss(run: Run, worker: Worker | None, losses: int) -> Loss | None:
    """When and how the run is lost if its worker stays away; None if it is there, or may be waited for without end.

    `worker` is the record of the one that the run is assigned to, None if that was deleted. `losses` are those of
    its earlier attempts.
    """
    if worker is None:
        assigned = run.assigned_at or run.created_at
        return Loss(
            assigned, outcome_of_loss(run, losses), f"Worker {run.worker} was deleted before it reported the end."
        )
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
    return Loss(since + timedelta(seconds=policy.after), outcome_of_loss(run, losses), sentence + ending)


def outcome_of_loss(run: Run, losses: int) -> Outcome:
    """What the job's policy makes of the run once it is lost; one that users want stopped is not retried.

    Attempts that were refused are no losses: nothing of them was begun.
    """
    is_unwanted = run.should_abort or run.should_cancel
    may_retry = run.request.loss.on_lost is OnLost.RETRY and losses + 1 < MOST_LOSSES
    return Outcome.RETRY if may_retry and not is_unwanted else Outcome.END


def next_attempt(run: Run) -> Run:
    """The run waiting again: nothing of the earlier attempt is left in it."""
    status = run.status if run.status is RunStatus.PENDING else advance(run.status, RunStatus.PENDING)
    return replace(
        run,
        status=status,
        reason=None,
        attempt=run.attempt + 1,
        worker=None,
        slot=None,
        assigned_at=None,
        started_at=None,
        ended_at=None,
        duration=None,
        results={},
        journal_sequence=0,
        log=LogFacts(),
    )
