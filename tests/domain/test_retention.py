"""What a retention may say, whose counts, and what it lets go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from job_orchestra import Element, Job, Pipeline, Project, Retention
from job_orchestra.domain import retention
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import (
    job_settings_from_data,
    job_settings_to_data,
    project_settings_from_data,
    project_settings_to_data,
)
from job_orchestra.domain.retention import FAILURES, KEEP_EVERYTHING, OTHERS, EndedRun, Rule, goes, retention_in_force
from job_orchestra.domain.statuses import TERMINAL, RunStatus

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
TRUE: list[list[str]] = [["true"]]


def test_every_status_that_a_run_ends_with_is_counted_once() -> None:
    assert sorted((*FAILURES, *OTHERS)) == sorted(TERMINAL)
    assert set(FAILURES) == {RunStatus.FAILED, RunStatus.EXCEPTION}


def test_what_is_not_said_lets_nothing_go() -> None:
    assert KEEP_EVERYTHING.rules == ()
    assert retention.Retention(days=3).rules == (Rule(OTHERS, 3, None), Rule(FAILURES, 3, None))
    assert retention.Retention(failure_count=9).rules == (Rule(FAILURES, None, 9),)
    both = retention.Retention(days=3, count=5, failure_days=30)
    assert both.rules == (Rule(OTHERS, 3, 5), Rule(FAILURES, 30, 5))


def test_the_innermost_counts_alone() -> None:
    job, project, default = (retention.Retention(days=number) for number in (1, 2, 3))
    assert retention_in_force(job, project, default) == job
    assert retention_in_force(None, project, default) == project
    assert retention_in_force(None, None, default) == default
    assert retention_in_force(KEEP_EVERYTHING, project, default) == KEEP_EVERYTHING


def run(age: timedelta, took: timedelta = timedelta(), has_key: bool = False, source: str | None = None) -> EndedRun:
    """Triggered that long ago."""
    return EndedRun("p", "r", 1, NOW - age, NOW - age + took, has_key, source)


@pytest.mark.parametrize(
    ("ended", "does"),
    [
        (run(10 * DAY), False),
        (run(10 * DAY + timedelta(microseconds=1)), True),
        # Its age begins with its end ...
        (run(12 * DAY, took=3 * DAY), False),
        # ... but a worker whose clock is wrong makes no run older than its trigger.
        (run(9 * DAY, took=-1000 * DAY), False),
    ],
)
def test_age(ended: EndedRun, does: bool) -> None:
    assert goes(ended, Rule(OTHERS, 10, None), False, (), NOW) is does
    assert goes(ended, Rule(OTHERS, None, 1), False, (), NOW) is False


def test_count() -> None:
    young = run(timedelta(seconds=1))
    assert goes(young, Rule(OTHERS, None, 1), True, (), NOW)
    assert not goes(young, Rule(OTHERS, 10, None), True, (), NOW)


def test_a_run_with_a_key_stays_for_a_day() -> None:
    assert not goes(run(DAY - timedelta(microseconds=1), has_key=True), Rule(OTHERS, None, 1), True, (), NOW)
    assert goes(run(DAY, has_key=True), Rule(OTHERS, None, 1), True, (), NOW)


def test_a_run_stays_while_the_one_that_triggered_it_goes_on() -> None:
    triggered = run(99 * DAY, source="outer")
    assert not goes(triggered, Rule(OTHERS, 1, 1), True, {"outer"}, NOW)
    assert goes(triggered, Rule(OTHERS, 1, 1), True, {"another"}, NOW)


def test_declared_and_plain_are_the_same() -> None:
    declared = Project(
        "p",
        retention=Retention(days=90, failure_days=365),
        jobs=[
            Job("a", commands=TRUE, retention=Retention(count=10)),
            Pipeline("b", elements=[Element("e", job="c")], retention=Retention()),
            Job("c", commands=TRUE),
        ],
    )
    plain: dict[str, Any] = {
        "identifier": "p",
        "retention": {"days": 90, "failure_days": 365},
        "jobs": [
            {"identifier": "a", "commands": TRUE, "retention": {"count": 10}},
            {"identifier": "b", "elements": [{"identifier": "e", "job": "c"}], "retention": {}},
            {"identifier": "c", "commands": TRUE},
        ],
    }
    (project,) = parse_projects([declared])
    assert parse_projects([plain]) == (project,)
    assert project.settings.retention == retention.Retention(days=90, failure_days=365)
    kept = [job.settings.retention for job in project.jobs]
    assert kept == [retention.Retention(count=10), KEEP_EVERYTHING, None]
    assert project_settings_from_data(project_settings_to_data(project.settings)) == project.settings
    for job in project.jobs:
        assert job_settings_from_data(job_settings_to_data(job.settings)) == job.settings


def test_every_mistake_is_told_at_once() -> None:
    wrong = cast("Any", Retention)
    with pytest.raises(Invalid) as raised:
        parse_projects(
            [
                Project(
                    "p",
                    retention=wrong(days=0, count="many", failure_day=3),
                    jobs=[Job("a", commands=TRUE, retention=cast("Any", 90))],
                )
            ]
        )
    assert [f"{one.place}: {one.message}" for one in raised.value.mistakes] == [
        "project p, job a, retention: expected a Retention, or a table with days, count, failure_days, failure_count, "
        "got 90",
        "project p, retention.failure_day: is unknown; did you mean failure_days?",
        "project p, retention.days: 0 is not from 1 to 36500",
        "project p, retention.count: expected an integer from 1 to 1000000, got 'many'",
    ]
