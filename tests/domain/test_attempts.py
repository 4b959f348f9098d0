"""What follows the end of an attempt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.domain.attempts import is_retried, outcomes_of, retries_of
from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.jobs import LossPolicy, OnLost
from job_orchestra.domain.losses import MOST_LOSSES, losses_of
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.runs import LogFacts, PastAttempt, Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
FAILED = (RunStatus.FAILED, ReasonCode.COMMAND_FAILED)
LOST = (RunStatus.EXCEPTION, ReasonCode.WORKER_LOST)


def ended(how: tuple[RunStatus, ReasonCode], retry: RetryPolicy, on_lost: OnLost = OnLost.WAIT, **facts: object) -> Run:
    status, code = how
    request = RunRequest("p", "j", CommandsDefinition(()), loss=LossPolicy(on_lost), retry=retry)
    run = Run(
        "7",
        request,
        Source(SourceKind.USER, "eve"),
        NOON - timedelta(hours=2),
        status=status,
        reason=Reason(code, "So it went."),
        worker="w",
        slot="p/deploy/1",
        assigned_at=NOON - timedelta(minutes=2),
        started_at=NOON - timedelta(minutes=1),
        ended_at=NOON,
        duration=60.0,
        results={"a": 1},
        journal_sequence=9,
        log=LogFacts(7, "00"),
    )
    return replace(run, **facts)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_without_retries_an_end_is_the_end() -> None:
    run = ended(FAILED, RetryPolicy())
    assert outcomes_of(run, NOON) == (run,)


def test_a_retried_run_waits_with_nothing_of_its_attempt_but_what_became_of_it() -> None:
    run = ended(FAILED, RetryPolicy(1, delay=30.0))
    retried, otherwise = outcomes_of(run, NOON + timedelta(seconds=2))
    past = PastAttempt(
        1,
        RunStatus.FAILED,
        Reason(ReasonCode.COMMAND_FAILED, "So it went."),
        "w",
        NOON - timedelta(minutes=2),
        NOON - timedelta(minutes=1),
        NOON,
        60.0,
        LogFacts(7, "00"),
    )
    assert otherwise == run
    assert retried == Run(
        "7",
        run.request,
        run.source,
        run.created_at,
        attempt=2,
        past_attempts=(past,),
        waits_until=NOON + timedelta(seconds=32),
    )


@pytest.mark.parametrize(
    ("how", "on", "expected"),
    [
        (FAILED, RetryPolicy().on, True),
        ((RunStatus.EXCEPTION, ReasonCode.SETUP_FAILED), RetryPolicy().on, True),
        ((RunStatus.ABORTED, ReasonCode.TIME_LIMIT), RetryPolicy().on, False),
        ((RunStatus.SUCCEEDED, ReasonCode.COMPLETED), RetryPolicy().on, False),
        (FAILED, (RunStatus.EXCEPTION,), False),
        (FAILED, (ReasonCode.COMMAND_FAILED,), True),
        ((RunStatus.EXCEPTION, ReasonCode.SETUP_FAILED), (ReasonCode.EXECUTOR_HOST_LOST,), False),
        ((RunStatus.ABORTED, ReasonCode.TIME_LIMIT), (ReasonCode.TIME_LIMIT,), True),
        ((RunStatus.ABORTED, ReasonCode.ABORT_REQUESTED), (ReasonCode.TIME_LIMIT,), False),
        (LOST, RetryPolicy().on, False),
    ],
)
def test_which_ends_are_retried(
    how: tuple[RunStatus, ReasonCode], on: tuple[RunStatus | ReasonCode, ...], expected: bool
) -> None:
    assert is_retried(ended(how, RetryPolicy(1, on))) is expected


@pytest.mark.parametrize("wish", ["should_abort", "should_cancel"])
@pytest.mark.parametrize("how", [FAILED, LOST])
def test_what_users_want_stopped_is_not_retried(wish: str, how: tuple[RunStatus, ReasonCode]) -> None:
    run = ended(how, RetryPolicy(3), OnLost.RETRY, **{wish: True})
    assert outcomes_of(run, NOON) == (run,)


def test_retries_and_losses_are_counted_each_by_themselves() -> None:
    run = ended(FAILED, RetryPolicy(2, delay=5.0), OnLost.RETRY)
    for began, how in enumerate((LOST, FAILED, LOST, FAILED), 1):
        status, code = how
        run = replace(run, status=status, reason=Reason(code, "So it went."), ended_at=NOON)
        run = outcomes_of(run, NOON)[0]
        assert (run.status, run.attempt) == (RunStatus.PENDING, 1 + began)
        # Who is lost has been waited for already.
        assert (run.waits_until is None) is (how == LOST)
    assert (retries_of(run), losses_of(run)) == (2, 2)
    again = replace(run, status=RunStatus.FAILED, reason=Reason(ReasonCode.COMMAND_FAILED, "Again."), ended_at=NOON)
    assert not is_retried(again)
    assert is_retried(replace(again, status=RunStatus.EXCEPTION, reason=Reason(ReasonCode.WORKER_LOST, "Gone.")))


def test_losses_come_to_an_end() -> None:
    run = ended(LOST, RetryPolicy(), OnLost.RETRY)
    attempts = 1
    while (following := outcomes_of(run, NOON)[0]).status is RunStatus.PENDING:
        attempts += 1
        run = replace(following, status=run.status, reason=run.reason, ended_at=NOON)
    assert attempts == MOST_LOSSES
