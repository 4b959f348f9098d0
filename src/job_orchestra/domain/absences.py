"""What becomes of a run while its worker is away, told in one sentence wherever somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.losses import Loss, Outcome, foresee_loss
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import Worker


@dataclass(frozen=True, slots=True)
class Absence:
    since: datetime | None
    """None if there is no record of the worker any more."""
    loss: Loss | None
    """None if the worker is waited for without end."""
    sentence: str


def absence_of(run: Run, worker: Worker | None) -> Absence | None:
    """None if the worker is there, or the run is with none.

    `worker` is the record of the one that it is assigned to, None if that was deleted.
    """
    if run.worker is None or run.status.is_terminal or (worker is not None and worker.is_connected):
        return None
    loss = foresee_loss(run, worker)
    if worker is None:
        gone = f"There is no record of worker {run.worker} any more: it was deleted."
        return Absence(None, loss, f"{gone} So {_outcome(run, loss)}." if loss else gone)
    after = "starts" if run.status is RunStatus.PENDING else "goes on there, and its data comes"
    since = _utc(worker.disconnected_at) if worker.disconnected_at else "an unknown time"
    away = f"The worker is disconnected since {since}; the run {after} when it is connected again."
    if loss is None:
        return Absence(worker.disconnected_at, None, f"{away} It is waited for without end.")
    end = f"At {_utc(loss.at)} it counts as lost, and {_outcome(run, loss)}."
    return Absence(worker.disconnected_at, loss, f"{away} {end}")


def _outcome(run: Run, loss: Loss) -> str:
    is_retried = loss.outcome is Outcome.RETRY
    return f"the run is retried as attempt {run.attempt + 1}" if is_retried else "the run ends as an exception"


def _utc(date: datetime) -> str:
    return f"{date:%Y-%m-%d %H:%M:%S} UTC"
