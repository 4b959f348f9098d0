from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from job_orchestra.domain.definitions import CommandsDefinition, ElementDefinition, PipelineDefinition, Workspace
from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.domain.jobs import Job, JobSettings, LossPolicy, OnLost, ParameterDefinition, RunLimits
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.runs import RunRequest
from job_orchestra.domain.triggering import request_of

SETTINGS = JobSettings(
    CommandsDefinition((("true",),)),
    parameters=(ParameterDefinition("name"), ParameterDefinition("count", is_required=False, default=3)),
    properties={"operating_system": "linux"},
    workspace=Workspace.RUN,
    limits=RunLimits(timeout=5),
    loss=LossPolicy(OnLost.RETRY, after=60),
    retry=RetryPolicy(2, delay=5),
    priority=7,
)
JOB = Job("example", "hello", SETTINGS, is_active=True, is_enabled=True, changed_at=datetime(2026, 11, 23, tzinfo=UTC))


def test_a_request_holds_all_that_the_run_will_need() -> None:
    assert request_of(JOB, {"name": "you"}) == RunRequest(
        "example",
        "hello",
        SETTINGS.definition,
        {"name": "you", "count": 3},
        {"operating_system": "linux"},
        Workspace.RUN,
        RunLimits(timeout=5),
        LossPolicy(OnLost.RETRY, after=60),
        RetryPolicy(2, delay=5),
        7,
    )


def test_a_trigger_may_name_another_priority() -> None:
    assert request_of(JOB, {"name": "you"}, 0).priority == 0
    with pytest.raises(Invalid, match="priority: 2000 is not from -1000 to 1000"):
        request_of(JOB, {"name": "you"}, 2000)


def test_parameters_are_checked() -> None:
    with pytest.raises(Invalid, match=r"parameters\.name: is missing"):
        request_of(JOB, {})


def test_a_disabled_job_can_be_triggered_and_a_removed_one_cannot() -> None:
    assert request_of(replace(JOB, is_enabled=False), {"name": "you"}).job == "hello"
    with pytest.raises(Conflict, match="no longer configured"):
        request_of(replace(JOB, is_active=False), {"name": "you"})


def test_a_pipeline_is_triggered_like_any_job() -> None:
    definition = PipelineDefinition((ElementDefinition("only", "hello"),))
    pipeline = replace(JOB, settings=replace(SETTINGS, definition=definition))
    assert request_of(pipeline, {"name": "you"}).definition == definition
