"""One attempt of a run, as the client tells of it."""

from __future__ import annotations

import pytest

from job_orchestra.client.attempts import as_attempt
from job_orchestra.domain.errors import NotFound
from job_orchestra.protocol.resources.logs import LogAnswer
from job_orchestra.protocol.resources.runs import ReasonAnswer
from tests.client.runs import past_attempt, run_answer

RUN = run_answer(ended=True, size=9, attempt=3, past={2: 4})


def test_the_present_attempt_is_told_as_the_run() -> None:
    assert as_attempt(RUN, 3) == RUN


def test_a_past_attempt_is_told_as_it_ended() -> None:
    told, past = as_attempt(RUN, 2), past_attempt(2, 4)
    assert (told.attempt, told.status, told.reason, told.worker) == (2, "failed", past.reason, "here")
    assert (told.ended_at, told.log) == (past.ended_at, LogAnswer(4, "00"))


def test_of_an_attempt_that_a_worker_refused_nothing_of_a_later_one_is_told() -> None:
    told = as_attempt(run_answer(ended=True, size=9, attempt=3, reason=ReasonAnswer("completed", "Done.")), 1)
    assert (told.attempt, told.status, told.reason, told.worker) == (1, "pending", None, None)
    assert (told.assigned_at, told.started_at, told.duration, told.log.size) == (None, None, None, 0)
    assert told.ended_at is not None


@pytest.mark.parametrize("attempt", [0, -1, 4])
def test_an_attempt_that_there_has_not_been_is_not_found(attempt: int) -> None:
    with pytest.raises(NotFound, match=f"r1/{attempt}"):
        as_attempt(RUN, attempt)
