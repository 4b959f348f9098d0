from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.events import CommandEnded, Ended, Event, Phase, ResultsChanged, Started
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import TERMINAL, RunStatus
from tests.domain.strategies import checked, events

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PENDING = Run(
    "0" * 18,
    RunRequest("example", "hello", CommandsDefinition((("true",),))),
    Source(SourceKind.USER, "someone"),
    NOW,
    worker="one",
)
STARTED = Started(1, NOW)


def ended(sequence: int, status: RunStatus = RunStatus.SUCCEEDED) -> Ended:
    return Ended(sequence, NOW, status, Reason(ReasonCode.COMPLETED, "All commands returned 0."), 1.5, 10, "0" * 64)


def test_a_journal_moves_a_run_from_pending_to_its_end() -> None:
    run = apply_event(PENDING, STARTED)
    assert (run.status, run.started_at, run.journal_sequence) == (RunStatus.RUNNING, NOW, 1)
    run = apply_event(run, CommandEnded(2, NOW, Phase.COMMANDS, 0, 0, 0.1, 5))
    run = apply_event(run, ResultsChanged(3, NOW, {"a": 1}))
    run = apply_event(run, ended(4))
    assert (run.status, run.ended_at, run.duration, run.results) == (RunStatus.SUCCEEDED, NOW, 1.5, {"a": 1})
    assert run.reason == ended(4).reason


@pytest.mark.parametrize("sequence", [-1, 0, 1, 3])
def test_an_event_out_of_order_is_a_conflict(sequence: int) -> None:
    run = apply_event(PENDING, STARTED)
    with pytest.raises(Conflict):
        apply_event(run, ResultsChanged(sequence, NOW, {}))


def test_a_run_that_never_executed_a_command_can_end() -> None:
    assert apply_event(PENDING, ended(1, RunStatus.EXCEPTION)).status is RunStatus.EXCEPTION


@checked
@given(st.sampled_from(TERMINAL), events)
def test_nothing_changes_a_terminal_status(status: RunStatus, event: Event) -> None:
    run = replace(PENDING, status=status, journal_sequence=5)
    try:
        after = apply_event(run, replace(event, sequence=6))
    except Conflict:
        return
    assert after.status is status
