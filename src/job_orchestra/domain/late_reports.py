"""What a worker still says of an attempt that counts no more: kept beside the run, shown, and never applied to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from job_orchestra.domain.losses import next_attempt
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
    return replace(next_attempt(replace(run, status=RunStatus.PENDING)), attempt=attempt, worker=worker)


def losses_before(run: Run, reports: Iterable[LateReport]) -> int:
    """How often the run was lost before its present attempt, by all of its reports."""
    return sum(report.account.attempt < run.attempt for report in reports)


def is_late(run: Run, attempt: int) -> bool:
    """Whether what a worker has of the attempt is news that must not touch the run any more.

    False where the run has ended by this very attempt's own word: then everything of it is stored already.
    """
    return run.attempt != attempt or not run.status.is_terminal or _is_ended_by_a_master(run)


def is_given_up(run: Run, attempt: int) -> bool:
    """Whether the attempt counts no more. A report may be expected already of one that still does."""
    return attempt < run.attempt or (attempt == run.attempt and _is_ended_by_a_master(run))


def _is_ended_by_a_master(run: Run) -> bool:
    """Where a worker tells the end, both sides have compared the log; a cancelled run has none."""
    return run.status.is_terminal and run.status is not RunStatus.CANCELLED and run.log.sha256 is None
