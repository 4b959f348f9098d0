from __future__ import annotations

from datetime import UTC, datetime

from job_orchestra import Element, Job, Pipeline, Project
from job_orchestra.domain.concurrency import ConcurrencyGroup, GroupInUse, free_number, group_of, split_slot
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.identifiers import NAME_RULE
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind, queue_key
from tests.domain.test_configuration import TRUE, mistakes_of, mistakes_of_job

TRUE_COMMANDS = (("true",),)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_lowest_free_number_is_chosen_until_as_many_are_taken_as_may_be() -> None:
    assert free_number((), 1) == 1
    assert free_number((1,), 1) is None
    assert free_number((1, 3), 3) == 2
    assert free_number((3,), 2) == 1  # the limit was lowered: what has more goes on
    assert free_number((2, 3), 2) is None
    assert free_number((5,), 1) is None


def test_a_slot_is_of_its_group() -> None:
    request = RunRequest("p", "j", CommandsDefinition(TRUE_COMMANDS), concurrency="deploy")
    group = group_of(request)
    assert group is not None
    assert group == ConcurrencyGroup("p", "deploy")
    assert split_slot(group.slot(12)) == (str(group), 12)
    unlimited = RunRequest("p", "j", CommandsDefinition(TRUE_COMMANDS))
    assert group_of(unlimited) is None
    assert queue_key(unlimited) != queue_key(request)


def test_a_full_group_names_its_holders_and_of_many_some() -> None:
    runs = [
        Run(f"r{number}", RunRequest("p", "j", CommandsDefinition(())), Source(SourceKind.USER, "eve"), NOW)
        for number in range(12)
    ]
    group = ConcurrencyGroup("p", "deploy")
    assert not GroupInUse(group, 2, tuple(runs[:1])).is_full
    full = GroupInUse(group, 2, tuple(runs[:2]))
    assert full.is_full
    assert full.sentence == "Concurrency group 'deploy' takes 2 runs at a time, and runs r0 and r1 have its slots."
    assert GroupInUse(group, 12, tuple(runs)).sentence.endswith("r8, r9 and 2 more have its slots.")


def test_jobs_and_pipelines_name_a_group_and_the_project_its_limit() -> None:
    [project] = parse_projects(
        [
            Project(
                "p",
                concurrency={"deploy": 2},
                jobs=[
                    Job("a", commands=TRUE, concurrency="deploy"),
                    Job("b", commands=TRUE),
                    Pipeline("c", elements=[Element("e", job="b")], concurrency="deploy"),
                ],
            )
        ]
    )
    assert project.settings.concurrency == {"deploy": 2}
    assert [job.settings.concurrency for job in project.jobs] == ["deploy", None, "deploy"]


def test_mistakes_of_groups() -> None:
    assert mistakes_of_job(commands=TRUE, concurrency="a/b") == [f"concurrency: 'a/b' is no identifier: {NAME_RULE}"]
    jobs = [Job("a", commands=TRUE, concurrency="deploy")]
    assert mistakes_of(Project("p", jobs=jobs, concurrency={"deploy": 0, "delpoy": 3, "/": 1})) == [
        "project p, concurrency.deploy: 0 is not from 1 to 1000",
        f"project p, concurrency: '/' is no identifier: {NAME_RULE}",
        "project p, concurrency.delpoy: limits a group that no job of the project names; did you mean deploy?",
    ]
    assert mistakes_of({"identifier": "p", "concurrency": 3}) == [
        "project p, concurrency: expected a table of concurrency groups and how many runs of each may go at once, got 3"
    ]


def test_a_pipeline_cannot_wait_for_its_own_slot() -> None:
    inner = Pipeline("inner", elements=[Element("e", job="work")])
    outer = Pipeline("outer", elements=[Element("e", job="inner")], concurrency="one")
    work = Job("work", commands=TRUE, concurrency="one")
    assert mistakes_of(Project("p", jobs=[work, inner, outer])) == [
        "project p, job outer, concurrency: one is the group of job work as well, which it contains and would block"
    ]
    elsewhere = Pipeline("outer", elements=[Element("e", job="work", project="p")], concurrency="one")
    assert parse_projects([Project("p", jobs=[work]), Project("q", jobs=[elsewhere])])
