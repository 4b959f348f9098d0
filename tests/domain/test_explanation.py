from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.explanation import Explanation, Situation, explain
from job_orchestra.domain.jobs import Job, JobSettings
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import Worker, WorkerDescription

_DATE = datetime(2026, 11, 23, 10, tzinfo=UTC)
_DEFINITION = CommandsDefinition((("true",),))
_RUN = Run("r", RunRequest("p", "j", _DEFINITION, properties={"os": "linux"}), Source(SourceKind.USER, "me"), _DATE)
_JOB = Job("p", "j", JobSettings(_DEFINITION), is_active=True, is_enabled=True, changed_at=_DATE)
_WORKER = Worker(
    "w", "me", "i", WorkerDescription("1", executor_limit=2, properties={"os": "linux"}), _DATE, is_connected=True
)


def _explain(run: Run = _RUN, job: Job | None = _JOB, *workers: Worker, active: int = 0) -> Explanation:
    return explain(Situation(run, job, workers, [active] * len(workers)), WorkerSelector())


def test_a_free_worker_means_a_wait_for_the_master() -> None:
    explanation = _explain(_RUN, _JOB, _WORKER)
    assert explanation.summary.startswith("Worker w can take it")
    assert explanation.workers[0].sentences == ()


@pytest.mark.parametrize(
    ("worker", "active", "sentence"),
    [
        (_WORKER, 2, "all 2 executors are busy"),
        (replace(_WORKER, is_enabled=False), 0, "is disabled"),
        (replace(_WORKER, is_connected=False), 0, "is disconnected"),
        (replace(_WORKER, should_drain=True), 0, "is draining"),
    ],
)
def test_what_passes_by_itself_is_not_impossible(worker: Worker, active: int, sentence: str) -> None:
    explanation = _explain(_RUN, _JOB, worker, active=active)
    assert not explanation.is_impossible
    assert explanation.workers[0].sentences == (sentence,)
    assert explanation.summary == "It waits for the one worker that fits."


def test_what_no_worker_can_take_is_said_at_once() -> None:
    other = replace(_WORKER, description=replace(_WORKER.description, properties={"os": "plan9"}))
    explanation = _explain(_RUN, _JOB, other)
    assert explanation.is_impossible
    assert explanation.workers[0].sentences == ("needs os = linux, has plan9",)
    assert _explain(_RUN, _JOB).is_impossible


def test_the_job_may_be_what_holds_it_up() -> None:
    assert "disabled" in _explain(_RUN, replace(_JOB, is_enabled=False), _WORKER).summary
    assert "no longer configured" in _explain(_RUN, replace(_JOB, is_active=False), _WORKER).summary
    assert "no longer configured" in _explain(_RUN, None, _WORKER).summary


def test_a_wish_is_told() -> None:
    assert "me asked to cancel it" in _explain(replace(_RUN, should_cancel=True, wished_by="me"), _JOB, _WORKER).summary
    assigned = replace(_RUN, worker="w", assigned_at=_DATE, should_abort=True, wished_by="me")
    assert "me asked to stop it" in _explain(assigned, _JOB, _WORKER).summary


def test_where_a_run_is() -> None:
    assigned = replace(_RUN, worker="w", assigned_at=_DATE)
    assert _explain(assigned, _JOB, _WORKER).summary == (
        "It was assigned to worker w at 2026-11-23 10:00:00 UTC, which has not started it yet."
    )
    running = replace(assigned, status=RunStatus.RUNNING, started_at=_DATE)
    assert _explain(running, _JOB, _WORKER).summary == "It is running on worker w since 2026-11-23 10:00:00 UTC."
    away = replace(_WORKER, is_connected=False, disconnected_at=_DATE)
    assert "disconnected since 2026-11-23 10:00:00 UTC" in _explain(running, _JOB, away).summary
    assert "no record of that worker" in _explain(running, _JOB).summary


@pytest.mark.parametrize("status", [status for status in RunStatus if status.is_terminal])
def test_every_end_has_its_reason(status: RunStatus) -> None:
    ended = replace(_RUN, status=status, reason=Reason(ReasonCode.COMPLETED, "The reason."), ended_at=_DATE)
    explanation = _explain(ended)
    assert explanation.summary.endswith("at 2026-11-23 10:00:00 UTC: The reason.")
    assert not explanation.is_impossible
