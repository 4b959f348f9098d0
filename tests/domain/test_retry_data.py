"""What a projects file says of retries."""

from __future__ import annotations

import pytest

from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import job_settings_from_data, job_settings_to_data
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.retry_data import CAUSES
from job_orchestra.domain.statuses import RunStatus


def read(**fields: object) -> RetryPolicy:
    [project] = parse_projects([{"identifier": "p", "jobs": [{"identifier": "j", "commands": [["true"]], **fields}]}])
    settings = {job.identifier: job.settings for job in project.jobs}["j"]
    assert job_settings_from_data(job_settings_to_data(settings)) == settings
    return settings.retry


def test_by_default_nothing_is_retried() -> None:
    assert read() == RetryPolicy(0, (RunStatus.FAILED, RunStatus.EXCEPTION), 0.0)


def test_statuses_and_reasons_are_causes() -> None:
    expected = RetryPolicy(3, (RunStatus.EXCEPTION, ReasonCode.TIME_LIMIT), 2.5)
    assert read(retries=3, retry_on=["exception", "time_limit", "exception"], retry_delay=2.5) == expected


def test_every_reason_is_a_cause_but_wishes_losses_and_what_is_no_fault() -> None:
    left_out = set(ReasonCode).difference(CAUSES)
    assert left_out == {
        ReasonCode.COMPLETED,
        ReasonCode.ELEMENT_FAILED,
        ReasonCode.ABORT_REQUESTED,
        ReasonCode.WORKER_LOST,
        ReasonCode.CANCEL_REQUESTED,
        ReasonCode.EXPIRED,
    }


@pytest.mark.parametrize(
    ("fields", "mistake"),
    [
        ({"retries": -1}, "retries: -1 is not from 0 to 100"),
        ({"retries": 101}, "retries: 101 is not from 0 to 100"),
        ({"retries": True}, "retries: expected an integer from 0 to 100, got True"),
        ({"retries": 1, "retry_on": []}, "retry_on: is empty, so nothing would be retried"),
        ({"retries": 1, "retry_on": "failed"}, "retry_on: expected a list of statuses and reasons, got 'failed'"),
        ({"retries": 1, "retry_on": ["fialed"]}, r"retry_on\[0\]: expected one of .*; did you mean failed\?"),
        ({"retries": 1, "retry_on": ["succeeded"]}, r"retry_on\[0\]: expected one of"),
        ({"retries": 1, "retry_on": [3]}, r"retry_on\[0\]: expected one of .*, got 3"),
        ({"retries": 1, "retry_on": ["worker_lost"]}, r"retry_on\[0\]: worker_lost is the business of on_lost"),
        ({"retries": 1, "retry_delay": -1}, "retry_delay: -1 is no number from 0"),
        ({"retries": 1, "retry_delay": 1e9}, r"retry_delay: 1e\+09 seconds are more than a year"),
        ({"retry_delay": 5}, "retry_delay: says nothing without retries"),
        ({"retry_on": ["failed"]}, "retry_on: says nothing without retries"),
    ],
)
def test_mistakes_are_named(fields: dict[str, object], mistake: str) -> None:
    with pytest.raises(Invalid, match=mistake):
        read(**fields)


def test_an_element_has_retries_of_its_own_or_those_of_its_job() -> None:
    elements = [
        {"identifier": "a", "job": "j"},
        {"identifier": "b", "job": "j", "retries": 2, "retry_delay": 1},
        {"identifier": "c", "job": "j", "retries": 0},
    ]
    jobs = [
        {"identifier": "j", "commands": [["true"]], "retries": 1},
        {"identifier": "all", "elements": elements},
    ]
    [project] = parse_projects([{"identifier": "p", "jobs": jobs}])
    settings = {job.identifier: job.settings for job in project.jobs}["all"]
    assert [element.retry for element in settings.definition.elements] == [  # type: ignore[union-attr]  # pyright: ignore
        None,
        RetryPolicy(2, delay=1.0),
        RetryPolicy(0),
    ]
    assert job_settings_from_data(job_settings_to_data(settings)) == settings


def test_a_pipeline_is_not_retried_as_a_whole() -> None:
    inner = {"identifier": "inner", "elements": [{"identifier": "a", "job": "j"}]}
    outer = {"identifier": "outer", "elements": [{"identifier": "b", "job": "inner", "retries": 2}]}
    jobs: list[object] = [{"identifier": "j", "commands": [["true"]]}, inner, outer]
    with pytest.raises(Invalid, match="retries: is for jobs; of a pipeline, each element may have its own"):
        parse_projects([{"identifier": "p", "jobs": jobs}])
    with pytest.raises(Invalid, match="retries: is unknown"):
        parse_projects([{"identifier": "p", "jobs": [jobs[0], {**inner, "retries": 1}]}])
