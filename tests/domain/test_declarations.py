"""Declarations that are written wrong: told like all other mistakes, at their lines, and none hides another."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from job_orchestra import Element, Job, Parameter, Pipeline, Project, Schedule
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.errors import Invalid

TRUE = [["true"]]

# What an editor would underline, and a user without one writes.
AnyJob = cast("Callable[..., Job]", Job)
AnyProject = cast("Callable[..., Project]", Project)
AnyPipeline = cast("Callable[..., Pipeline]", Pipeline)
AnyElement = cast("Callable[..., Element]", Element)
AnySchedule = cast("Callable[..., Schedule]", Schedule)
AnyParameter = cast("Callable[..., Parameter]", Parameter)


def mistakes_of(*projects: object) -> list[str]:
    """With lines counted from that of the test."""
    caller = inspect.stack()[1]
    begin = caller.frame.f_code.co_firstlineno
    with pytest.raises(Invalid) as raised:
        parse_projects(list(projects))
    for mistake in raised.value.mistakes:
        assert mistake.origin is not None
        assert mistake.origin.file == __file__
    return [
        str(replace(mistake, origin=replace(mistake.origin, file="+", line=mistake.origin.line - begin)))
        for mistake in raised.value.mistakes
        if mistake.origin
    ]


def test_unknown_keywords_are_told_with_all_other_mistakes() -> None:
    projects = [
        AnyProject("p", job=[]),
        Project(
            "q",
            jobs=[
                AnyJob("a", comands=TRUE),
                Job("b", commands=[["echo", "{nothing}"]], timeout=-1),
                AnyJob("c", commands=TRUE, parameters=[AnyParameter("x", defalt=1)]),
                AnyPipeline(
                    "d",
                    elements=[AnyElement("e", job="b", afer=[])],
                    workspace="run",
                ),
            ],
            schedules=[AnySchedule("s", job="b", expresion="@daily")],
        ),
    ]
    assert [line.partition("; known")[0] for line in mistakes_of(*projects)] == [
        "+:2: project p, job: is unknown; did you mean jobs?",
        "+:6: project q, job a, comands: is unknown; did you mean commands?",
        "+:7: project q, job b, timeout: -1 is no number from 0.001 to 1e+15",
        "+:7: project q, job b, commands[0][1]: has an unknown field {nothing}",
        "+:8: project q, job c, parameters[0].defalt: is unknown; did you mean default?",
        "+:9: project q, job d, workspace: is unknown",
        "+:11: project q, job d, elements[0].afer: is unknown; did you mean after?",
        "+:15: project q, schedule s, expresion: is unknown; did you mean expression?",
        "+:15: project q, schedule s, expression: is missing",
    ]


def test_what_is_missing_or_has_no_name_is_told() -> None:
    projects = [
        AnyProject(),
        Project(
            "p",
            jobs=[
                AnyJob("a", TRUE),
                AnyJob("b", identifier="c", commands=TRUE),
                AnyPipeline("d", elements=[AnyElement("e")]),
                AnyJob("f", commands=TRUE, parameters=[AnyParameter()]),
            ],
        ),
    ]
    found = mistakes_of(*projects)
    assert [line.partition("; ")[0] for line in found] == [
        "+:2: projects[0].identifier: is missing",
        "+:6: project p, job a: needs one of commands, elements and definition, and has none",
        "+:6: project p, job a, argument 2 without a name: is unknown",
        "+:7: project p, job b, identifier given twice: is unknown",
        "+:8: project p, job d, elements[0].job: is missing",
        "+:9: project p, job f, parameters[0].identifier: is missing",
    ]


def test_references_that_lead_nowhere_have_the_line_of_who_made_them() -> None:
    projects = [
        Project(
            "p",
            jobs=[
                Job("a", commands=TRUE),
                Pipeline("b", elements=[Element("e", job="c")]),
            ],
            schedules=[
                Schedule("s", job="d", expression="@dayly"),
            ],
        ),
    ]
    assert mistakes_of(*projects) == [
        "+:6: project p, job b, element e, job: project p has no job 'c'; its jobs are a, b",
        "+:9: project p, schedule s, job: project p has no job 'd'; its jobs are a, b",
        "+:9: project p, schedule s, expression: '@dayly' is no known word; did you mean @daily?",
    ]


def test_plain_data_in_a_declaration_has_the_declarations_line() -> None:
    projects = [Project("p", jobs=[cast("Any", {"identifier": "a", "comands": TRUE})])]
    assert mistakes_of(*projects)[-1] == "+:1: project p, job a, comands: is unknown; did you mean commands?"


def test_copies_are_like_what_they_are_copies_of() -> None:
    wrong = AnyJob("a", comands=TRUE)
    assert mistakes_of(Project("p", jobs=[copy.deepcopy(wrong)]))[-1].startswith("+:1: project p, job a, comands: ")
    right = replace(Job("a", commands=TRUE), priority=3)
    (project,) = parse_projects([Project("p", jobs=[right])])
    assert project.jobs[0].settings.priority == 3
    assert right == Job("a", commands=TRUE, priority=3)
    assert "Unset" in repr(AnyElement("e"))


def test_classes_of_the_users_own_are_declarations() -> None:
    class Echo(Job):
        def __init__(self, text: str) -> None:
            super().__init__(text, commands=[["echo", text]])

    @dataclass(frozen=True)
    class Deploy(Job):
        target: str = ""

    (project,) = parse_projects([Project("p", jobs=[Echo("hello")])])
    assert project.jobs[0].identifier == "hello"
    with pytest.raises(Invalid, match="project p, job b, target: is unknown"):
        parse_projects([Project("p", jobs=[Deploy("b", commands=TRUE, target="x")])])


def test_editors_see_the_keywords() -> None:
    for declaration, keyword in (
        (Job, "commands"),
        (Element, "after"),
        (Schedule, "time_zone"),
        (Parameter, "choices"),
    ):
        parameters = inspect.signature(declaration).parameters
        assert parameters[keyword].kind is inspect.Parameter.KEYWORD_ONLY
        assert next(iter(parameters)) == "identifier"
