from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.domain.attempts import next_attempt
from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.jobs import LossPolicy, OnLost
from job_orchestra.domain.late_reports import blank_account, is_given_up, is_late
from job_orchestra.domain.losses import MOST_LOSSES, Loss, Outcome, foresee_loss, losses_of
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import LogFacts, PastAttempt, Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import Worker, WorkerDescription

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AWAY = Worker(
    "w", "eve", "i", WorkerDescription("1"), NOON - timedelta(days=1), is_connected=False, disconnected_at=NOON
)


def run(on_lost: OnLost = OnLost.WAIT, **facts: object) -> Run:
    request = RunRequest("p", "j", CommandsDefinition(()), loss=LossPolicy(on_lost, after=60))
    made = Run("7", request, Source(SourceKind.USER, "eve"), NOON - timedelta(hours=2), worker="w")
    begun = replace(made, status=RunStatus.RUNNING, assigned_at=NOON - timedelta(hours=1))
    return replace(begun, **facts)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_run_whose_worker_is_there_is_not_lost() -> None:
    assert foresee_loss(run(OnLost.FAIL), replace(AWAY, is_connected=True)) is None


def test_a_run_waits_for_its_worker_unless_its_job_says_otherwise() -> None:
    assert foresee_loss(run(), AWAY) is None


@pytest.mark.parametrize(("policy", "outcome"), [(OnLost.FAIL, Outcome.END), (OnLost.RETRY, Outcome.RETRY)])
def test_a_run_is_lost_when_its_worker_was_away_for_too_long(policy: OnLost, outcome: Outcome) -> None:
    expected = Loss(
        NOON + timedelta(seconds=60), outcome, "Worker w has been away since 2026-11-24 12:00:00 UTC, for 60 seconds."
    )
    assert foresee_loss(run(policy), AWAY) == expected


def test_the_time_begins_when_the_run_was_assigned_if_that_was_later() -> None:
    late = NOON + timedelta(minutes=5)
    loss = foresee_loss(run(OnLost.FAIL, assigned_at=late), AWAY)
    assert loss is not None
    assert loss.at == late + timedelta(seconds=60)


@pytest.mark.parametrize("policy", OnLost)
@pytest.mark.parametrize("wish", ["should_abort", "should_cancel"])
def test_a_run_that_nobody_wants_any_more_is_not_waited_for_without_end(policy: OnLost, wish: str) -> None:
    loss = foresee_loss(run(policy, **{wish: True, "wished_by": "eve"}), AWAY)
    assert loss is not None
    assert (loss.at, loss.outcome) == (NOON + timedelta(seconds=60), Outcome.END)
    assert loss.sentence.endswith("for 60 seconds, and eve asked to stop the run.")


@pytest.mark.parametrize(
    ("policy", "outcome"), [(OnLost.WAIT, Outcome.END), (OnLost.FAIL, Outcome.END), (OnLost.RETRY, Outcome.RETRY)]
)
def test_a_run_of_a_deleted_worker_is_lost_at_once(policy: OnLost, outcome: Outcome) -> None:
    loss = foresee_loss(run(policy), None)
    assert loss is not None
    assert (loss.at <= NOON, loss.outcome) == (True, outcome)
    assert loss.sentence == "Worker w was deleted before it reported the end."


def past(attempt: int, code: ReasonCode = ReasonCode.WORKER_LOST, sha256: str | None = None) -> PastAttempt:
    reason = Reason(code, "It is over.")
    return PastAttempt(attempt, RunStatus.EXCEPTION, reason, "w", NOON, NOON, NOON, None, LogFacts(7, sha256))


def test_losses_come_to_an_end_however_many_attempts_were_refused_or_failed() -> None:
    for losses, outcome in ((MOST_LOSSES - 2, Outcome.RETRY), (MOST_LOSSES - 1, Outcome.END)):
        lost = tuple(past(3 * number) for number in range(1, losses + 1))
        failed = (past(100, ReasonCode.SETUP_FAILED, "00"),) * 20
        many = run(OnLost.RETRY, attempt=200, past_attempts=(*lost, *failed))
        assert losses_of(many) == losses
        loss = foresee_loss(many, AWAY)
        assert loss is not None
        assert loss.outcome is outcome


def test_nothing_of_an_attempt_is_left_in_the_next() -> None:
    full = run(
        attempt=3,
        started_at=NOON,
        results={"a": 1},
        journal_sequence=9,
        log=LogFacts(7, "00"),
        duration=1.0,
        ended_at=NOON,
        reason=Reason(ReasonCode.COMPLETED, "It went well."),
    )
    made = Run(full.identifier, full.request, full.source, full.created_at)
    assert next_attempt(full) == replace(made, attempt=4)
    assert blank_account(full, 2, "v") == replace(made, attempt=2, worker="v")


@pytest.mark.parametrize(
    ("status", "sha256", "attempt", "expected"),
    [
        (RunStatus.SUCCEEDED, "00", 2, False),
        (RunStatus.SUCCEEDED, "00", 1, True),
        (RunStatus.EXCEPTION, "00", 2, False),
        (RunStatus.EXCEPTION, None, 2, True),
        (RunStatus.PENDING, None, 1, True),
        (RunStatus.RUNNING, None, 1, True),
    ],
)
def test_what_was_given_up_is_reported_late(
    status: RunStatus, sha256: str | None, attempt: int, expected: bool
) -> None:
    """Who ends a run without its worker cannot have compared the log with it."""
    assert is_late(run(status=status, attempt=2, log=LogFacts(7, sha256)), attempt) is expected


@pytest.mark.parametrize("status", [RunStatus.PENDING, RunStatus.RUNNING, RunStatus.SUCCEEDED])
def test_an_attempt_that_ended_and_was_retried_has_nothing_more_to_tell(status: RunStatus) -> None:
    retried = run(status=status, attempt=3, past_attempts=(past(1, ReasonCode.COMMAND_FAILED, "00"), past(2)))
    assert [is_late(retried, attempt) for attempt in (1, 2)] == [False, True]
    assert [is_given_up(retried, attempt) for attempt in (1, 2)] == [False, True]


@pytest.mark.parametrize(
    ("status", "sha256", "attempt", "expected"),
    [
        (RunStatus.RUNNING, None, 1, True),
        (RunStatus.RUNNING, None, 2, False),
        (RunStatus.PENDING, None, 2, False),
        (RunStatus.CANCELLED, None, 2, False),
        (RunStatus.EXCEPTION, None, 2, True),
        (RunStatus.EXCEPTION, "00", 2, False),
        (RunStatus.SUCCEEDED, "00", 2, False),
    ],
)
def test_which_attempts_were_given_up(status: RunStatus, sha256: str | None, attempt: int, expected: bool) -> None:
    assert is_given_up(run(status=status, attempt=2, log=LogFacts(7, sha256)), attempt) is expected
