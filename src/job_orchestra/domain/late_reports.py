"""What a worker still says of an attempt that counts no more: kept beside the run, shown, and never applied to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from job_orchestra.domain.attempts import next_attempt
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus


@dataclass(frozen=True, slots=True)
class LateReport:
    account: Run
    """The run as this attempt tells it, from its first event to its last."""
    lost_at: datetime
    """When the attempt was given up."""
    received_at: datetime | None = None
    """When the worker came back with it; None until then."""


def blank_account(run: Run, attempt: int, worker: str) -> Run:
    """What the events of a late report are applied to."""
    return replace(
        next_attempt(replace(run, status=RunStatus.PENDING)), attempt=attempt, past_attempts=(), worker=worker
    )


def is_late(run: Run, attempt: int) -> bool:
    """Whether what a worker has of the attempt is news that must not touch the run any more.

    False where the attempt has ended by its worker's own word: then everything of it is stored already.
    """
    return not _is_ended_by_its_worker(run, attempt)


def is_given_up(run: Run, attempt: int) -> bool:
    """Whether the attempt counts no more. A report may be expected already of one that still does."""
    is_over = attempt < run.attempt or (attempt == run.attempt and run.status.is_terminal)
    return is_over and not _is_ended_by_its_worker(run, attempt)


def _is_ended_by_its_worker(run: Run, attempt: int) -> bool:
    """Where a worker tells the end, both sides have compared the log; a cancelled run has none."""
    if attempt == run.attempt:
        is_compared = run.status is RunStatus.CANCELLED or run.log.sha256 is not None
        return run.status.is_terminal and is_compared
    return any(past.attempt == attempt and past.log.sha256 is not None for past in run.past_attempts)
