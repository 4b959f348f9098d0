"""What follows the end of an attempt: the end of the run, or its next attempt. No I/O, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from job_orchestra.domain.losses import Outcome, losses_of, outcome_of_loss
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.runs import LogFacts, PastAttempt, Run
from job_orchestra.domain.statuses import RunStatus, advance


def outcomes_of(ended: Run, now: datetime) -> tuple[Run, ...]:
    """What may become of a run whose attempt has ended like this: the first of them that can be committed.

    No user may have asked to stop a run that is to be retried, which only the commit can tell; else it ends.
    """
    if not is_retried(ended):
        return (ended,)
    # As it is stored until then.
    running = replace(ended, status=RunStatus.RUNNING)
    retried = next_attempt(running, _past_attempt(ended))
    return (replace(retried, waits_until=_end_of_delay(ended, now)), ended)


def is_retried(ended: Run) -> bool:
    """Whether the policies of its job give a run another attempt whose present one has ended like this."""
    assert ended.reason is not None
    if ended.should_abort or ended.should_cancel:
        return False
    if ended.reason.code is ReasonCode.WORKER_LOST:
        return outcome_of_loss(ended) is Outcome.RETRY
    policy = ended.request.retry
    return policy.is_cause(ended.status, ended.reason) and retries_of(ended) < policy.retries


def retries_of(run: Run) -> int:
    """How many of its attempts were retried for how they ended; those that were lost are counted by themselves."""
    return len(run.past_attempts) - losses_of(run)


def next_attempt(run: Run, past: PastAttempt | None = None) -> Run:
    """The run waiting again: of its present attempt nothing is left in it but `past`."""
    return replace(
        run,
        status=run.status if run.status is RunStatus.PENDING else advance(run.status, RunStatus.PENDING),
        reason=None,
        attempt=run.attempt + 1,
        past_attempts=run.past_attempts if past is None else (*run.past_attempts, past),
        waits_until=None,
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


def _end_of_delay(ended: Run, now: datetime) -> datetime | None:
    assert ended.reason is not None
    delay = ended.request.retry.delay
    # Who is lost has waited already, for as long as the policy of its job says.
    is_delayed = delay > 0 and ended.reason.code is not ReasonCode.WORKER_LOST
    return now + timedelta(seconds=delay) if is_delayed else None


def _past_attempt(ended: Run) -> PastAttempt:
    assert ended.reason is not None
    assert ended.ended_at is not None
    return PastAttempt(
        attempt=ended.attempt,
        status=ended.status,
        reason=ended.reason,
        worker=ended.worker,
        assigned_at=ended.assigned_at,
        started_at=ended.started_at,
        ended_at=ended.ended_at,
        duration=ended.duration,
        log=ended.log,
    )
