"""What is wrong with a pipeline is told when the configuration is loaded."""

from __future__ import annotations

import pytest

from job_orchestra import Element, Job, Parameter, Pipeline, Project
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES
from tests.domain.test_configuration import mistakes_of

ANYTHING = [Parameter("x", default=None)]


def mistakes(*elements: Element) -> list[str]:
    job = Job("job", commands=[["true"]], parameters=ANYTHING)
    pipeline = Pipeline("all", elements=elements, parameters=[Parameter("who", default="me")])
    found = mistakes_of(Project("p", jobs=[job, pipeline]))
    return [mistake.removeprefix("project p, job all, ") for mistake in found]


A = Element("a", job="job")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{elements[b]}", "names 'b', which is no element before this one; before it come a"),
        ("{elements[c][results]}", "names 'c', which is no element before this one; before it come a"),
        ("{parameters[wo]}", "names the unknown parameter 'wo'; did you mean who?"),
        ("{parameter[who]}", "has an unknown field {parameter[who]}; did you mean parameters?"),
        ("{item}", "has an unknown field {item}; known are project, job, run, parameters, elements"),
        ("{run[0]}", "reads {run[0]}, but run is a plain value"),
        ("{elements.a}", "'elements.a' reads an attribute; write elements[…] instead"),
        ("{run:{run}}", "nests fields, which only commands may"),
        ("{", "is no format string (Single '{' encountered in format string)"),
    ],
)
def test_texts_name_only_what_there_will_be(text: str, message: str) -> None:
    for place, value in (("x", text), ("x[1]", ["", text]), ("x.deep", {"deep": text})):
        element = Element("b", job="job", after=["a"], parameters={"x": value})
        [found] = mistakes(A, element, Element("c", job="job", after=["b"]))
        assert found.startswith(f"element b, parameters.{place}: {message}")


def test_what_is_known_at_the_run_only_is_not_refused_before() -> None:
    texts = [
        "{elements[a][results][deep][0]}",
        "{parameters[who]}",
        "{item[x]} {index:03}",
        "{item!r}",
        "{{}}",
        "{project}",
    ]
    element = Element("b", job="job", after=["a"], for_each=[1], parameters={"x": texts})
    job = Job("job", commands=[["true"]], parameters=ANYTHING)
    assert parse_projects(
        [Project("p", jobs=[job, Pipeline("all", elements=[A, element], parameters=[Parameter("who")])])]
    )


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("elements.a.results.x", "character 21: expected one of = != "),
        ("results.x = 1", "character 1: expected a key that begins with elements. or parameters., "),
        ("elements.b.status = 'failed'", "names 'b', which is no element before this one; before it come a"),
        ("not (parameters.wo = 1 or elements.a exists)", "names the unknown parameter 'wo'; did you mean who?"),
    ],
)
def test_mistakes_of_conditions(when: str, message: str) -> None:
    [found] = mistakes(A, Element("b", job="job", after=["a"], when=when))
    assert found.startswith(f"element b, when: {message}")


@pytest.mark.parametrize(
    ("for_each", "message"),
    [
        ("{elements[z]}", "names 'z', which is no element before this one; before it come a"),
        ("all of {elements[a]}", "'all of {elements[a]}' is neither a list nor one field that has a list"),
        ("{item}", "has an unknown field {item}; known are project, job, run, parameters, elements"),
        (list(range(1001)), "has 1001 items, and may have 1000"),
    ],
)
def test_mistakes_of_lists(for_each: object, message: str) -> None:
    [found] = mistakes(A, Element("b", job="job", after=["a"], for_each=for_each))  # type: ignore[arg-type]
    assert found.startswith(f"element b, for_each: {message}")


def test_a_list_that_is_none_is_told_by_its_type() -> None:
    assert mistakes(Element("b", job="job", for_each=3)) == [  # type: ignore[arg-type]
        "elements[0].for_each: expected a list, or a field that has one, got 3"
    ]


def test_conditions_that_exclude_each_other() -> None:
    fails = {"element": "a", "statuses": ["failed"]}
    b = Element("b", job="job", after=["a"])
    c = Element("c", job="job", after=["b", fails])
    assert mistakes(A, b, c) == ["element c, after: never comes true: a would have to end in two ways at once"]
    excused = Element("a", job="job", allow_failure=True)
    skipped = Element("c", job="job", after=[{"element": "b", "statuses": ["skipped"]}, fails])
    job = Job("job", commands=[["true"]])
    assert parse_projects([Project("p", jobs=[job, Pipeline("x", elements=[excused, b, c])])])
    assert parse_projects([Project("p", jobs=[job, Pipeline("x", elements=[A, b, skipped])])])


def test_always_means_every_end() -> None:
    last = Element("b", job="job", after=[{"element": "a", "statuses": "always"}])
    [project] = parse_projects(
        [Project("p", jobs=[Job("job", commands=[["true"]]), Pipeline("x", elements=[A, last])])]
    )
    definition = project.jobs[1].settings.definition
    assert isinstance(definition, PipelineDefinition)
    assert definition.elements[1].after[0].statuses == FINAL_ELEMENT_STATUSES
    wrong = Element("b", job="job", after=[{"element": "a", "statuses": "allways"}])
    assert mistakes(A, wrong) == [
        "elements[1].after[0].statuses: expected a list of statuses, or always, got 'allways'"
    ]
