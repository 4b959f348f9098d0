"""What is wrong with a pipeline is told when the configuration is loaded."""

from __future__ import annotations

import pytest

from job_orchestra import Element, Job, Parameter, Pipeline, Project
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES
from tests.domain.test_configuration import mistakes_of

ANYTHING = [Parameter("x", default=None)]
WHO = [Parameter("who", default="me")]


def mistakes(*elements: Element) -> list[str]:
    job = Job("job", commands=[["true"]], parameters=ANYTHING)
    pipeline = Pipeline("all", elements=elements, parameters=WHO)
    found = mistakes_of(Project("p", jobs=[job, pipeline]))
    return [mistake.removeprefix("project p, job all, ") for mistake in found]


def accepts(*elements: Element) -> bool:
    job = Job("job", commands=[["true"]], parameters=ANYTHING)
    return bool(parse_projects([Project("p", jobs=[job, Pipeline("all", elements=elements, parameters=WHO)])]))


A = Element("a", job="job")
WITH_LIST = Element("list", job="job", for_each=[1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{elements[b]}", "names 'b', which is no element before this one; before it come a"),
        ("{elements[c][results]}", "names 'c', which is no element before this one; before it come a"),
        ("{elements[a][result][x]}", "asks for 'result' of a; did you mean results?"),
        ("{elements[a][items]}", "asks for 'items' of a; there are status, run, results"),
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
        ("elements.b.status = 'failed'", "names 'b', which is no element before this one; before it come a, list"),
        ("not (parameters.wo = 1 or elements.a exists)", "names the unknown parameter 'wo'; did you mean who?"),
        ("elements.a.result.x = 1", "asks for 'result' of a; did you mean results?"),
        ("elements.a.status != 'ok'", "compares elements.a.status with 'ok'; an element ends as one of succeeded, "),
        ("elements.a.status in ('failed', 1)", "compares elements.a.status with 1; an element ends as one of "),
        ("elements.list.items.0.status = 'x'", "compares elements.list.items.0.status with 'x'; "),
        ("elements.list.results.x = 1", "asks for 'results' of list, which has a list; there are status, items"),
        ("elements.list.items.0.x = 1", "asks for 'x' of an item of list; there are item, status, run, results"),
    ],
)
def test_mistakes_of_conditions(when: str, message: str) -> None:
    [found] = mistakes(A, WITH_LIST, Element("b", job="job", after=["a", "list"], when=when))
    assert found.startswith(f"element b, when: {message}")


def test_what_may_be_in_results_is_not_refused() -> None:
    when = "elements.a.results.x.status = 'ok' and elements.list.items.0.results.status.items = 1"
    assert accepts(A, WITH_LIST, Element("b", job="job", after=["a", "list"], when=when))


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


def test_what_is_never_skipped_is_not_waited_for() -> None:
    skipped = Element("c", job="job", after=[{"element": "b", "statuses": ["skipped"]}])
    never = "element c, after: never comes true: b has no condition, so it is never skipped"
    assert mistakes(Element("b", job="job"), skipped) == [never]
    always = Element("b", job="job", after=[{"element": "a", "statuses": "always"}])
    assert mistakes(A, always, skipped) == [never]
    for conditional in (Element("b", job="job", after=["a"]), Element("b", job="job", when="parameters.who = 'you'")):
        assert accepts(A, conditional, skipped)


def test_elements_that_wait_for_each_other_hide_no_other_mistake() -> None:
    b = Element("b", job="job", after=["c"], parameters={"x": "{parameters[wo]}"})
    assert mistakes(b, Element("c", job="job", after=["b"]), Element("d", job="job", after=["d"])) == [
        "elements: wait for each other and could never start: b → c → b",
        "elements: wait for each other and could never start: d → d",
        "element b, parameters.x: names the unknown parameter 'wo'; did you mean who?",
    ]


def test_parameters_that_the_job_never_takes() -> None:
    count = Job("count", commands=[["true"]], parameters=[Parameter("n", type="integer"), Parameter("c", default={})])
    element = Element("e", job="count", parameters={"n": "many", "c": {"deep": ["{run}"]}})
    assert mistakes_of(Project("p", jobs=[count, Pipeline("all", elements=[element])])) == [
        "project p, job all, element e, parameters.n: expected an integer, got 'many'"
    ]
    for n in (3, "3", "{index}"):
        right = Element("e", job="count", for_each=[1], parameters={"n": n})
        assert parse_projects([Project("p", jobs=[count, Pipeline("all", elements=[right])])])


def test_mistakes_are_told_at_the_line_of_their_element() -> None:
    wrong = Element("b", job="job", after=["z"])
    with pytest.raises(Invalid) as raised:
        parse_projects([Project("p", jobs=[Job("job", commands=[["true"]]), Pipeline("all", elements=[A, wrong])])])
    [mistake] = raised.value.mistakes
    assert mistake.origin is not None
    first = test_mistakes_are_told_at_the_line_of_their_element.__code__.co_firstlineno
    assert mistake.origin.line == first + 1
