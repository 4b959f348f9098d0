from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from job_orchestra.domain.absences import absence_of
from job_orchestra.domain.jobs import OnLost
from job_orchestra.domain.losses import Outcome
from job_orchestra.domain.statuses import TERMINAL, RunStatus
from tests.domain.test_losses import AWAY, NOON, run

_SINCE = "The worker is disconnected since 2026-11-24 12:00:00 UTC"


@pytest.mark.parametrize(
    ("on_lost", "outcome", "end"),
    [
        (OnLost.WAIT, None, "It is waited for without end."),
        (OnLost.FAIL, Outcome.END, "At 2026-11-24 12:01:00 UTC it counts as lost, and the run ends as an exception."),
        (
            OnLost.RETRY,
            Outcome.RETRY,
            "At 2026-11-24 12:01:00 UTC it counts as lost, and the run is retried as attempt 2.",
        ),
    ],
)
def test_a_worker_that_is_away(on_lost: OnLost, outcome: Outcome | None, end: str) -> None:
    absence = absence_of(run(on_lost), AWAY)
    assert absence is not None
    assert absence.since == NOON
    assert absence.sentence == (
        f"{_SINCE}; the run goes on there, and its data comes when it is connected again. {end}"
    )
    loss = absence.loss
    assert (None if loss is None else (loss.at, loss.outcome)) == (
        None if outcome is None else (NOON + timedelta(seconds=60), outcome)
    )


def test_a_run_that_has_not_started_there() -> None:
    absence = absence_of(run(status=RunStatus.PENDING), AWAY)
    assert absence is not None
    assert absence.sentence.startswith(f"{_SINCE}; the run starts when it is connected again.")


def test_a_worker_that_was_deleted() -> None:
    absence = absence_of(run(OnLost.RETRY), None)
    assert absence is not None
    assert (absence.since, absence.sentence) == (
        None,
        "There is no record of worker w any more: it was deleted. So the run is retried as attempt 2.",
    )


def test_nothing_is_told_of_a_worker_that_is_there_or_of_no_concern() -> None:
    assert absence_of(run(), replace(AWAY, is_connected=True)) is None
    assert absence_of(run(worker=None), None) is None
    for status in TERMINAL:
        assert absence_of(run(status=status), AWAY) is None
