from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from job_orchestra.domain.definitions import After, ElementDefinition
from job_orchestra.domain.pipelines.parts import part_key
from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES, ElementStatus
from tests.domain.pipelines.play import Play

FAILED = ElementStatus.FAILED


def element(identifier: str, *after: str | After, **fields: object) -> ElementDefinition:
    waits = tuple(one if isinstance(one, After) else After(one) for one in after)
    return ElementDefinition(identifier, "job", after=waits, **fields)  # type: ignore[arg-type]


def test_an_element_comes_when_those_before_it_have_succeeded() -> None:
    play = Play([element("a"), element("b"), element("c", "a", "b"), element("d", "c")])
    assert play.step() == ["a", "b"]
    play.end("a")
    assert play.step() == []
    assert play.sentence("c") == "It waits for b."
    play.end("b")
    assert play.step() == ["c"]
    assert play.outcome() is None
    play.end("c")
    assert play.step() == ["d"]
    play.end("d")
    end = play.outcome()
    assert end is not None
    assert (end.status, end.reason.code) == ("succeeded", "completed")
    assert end.results == {"elements": {name: {"status": "succeeded", "run": f"run-{name}"} for name in "abcd"}}


def test_what_can_come_no_more_is_skipped_at_once_with_the_reason() -> None:
    play = Play([element("a"), element("slow"), element("b", "slow", "a"), element("c", "b"), element("d", "slow")])
    play.step()
    play.end("a", "failed")
    assert play.step() == []
    assert play.statuses() == {
        "a": "failed", "slow": "pending", "b": "skipped", "c": "skipped", "d": "waiting"
    }  # fmt: skip
    assert play.sentence("b") == "It needs a to end as succeeded, and that is failed."
    assert play.sentence("c") == "It needs b to end as succeeded, and that is skipped."
    play.end("slow")
    assert play.step() == ["d"]
    play.end("d")
    end = play.outcome()
    assert end is not None
    assert (end.status, end.reason.code) == ("failed", "element_failed")
    assert end.reason.sentence == "Element a ended as failed: It failed."


def test_statuses_that_are_waited_for() -> None:
    play = Play(
        [
            element("a"),
            element("repair", After("a", (FAILED,))),
            element("report", After("repair", FINAL_ELEMENT_STATUSES)),
            element("unneeded", After("a", (ElementStatus.SKIPPED,))),
        ]
    )
    play.step()
    play.end("a")
    assert play.step() == ["report"], "always is behind what was skipped as well"
    assert play.statuses()["repair"] == "skipped"
    assert play.sentence("unneeded") == "It needs a to end as skipped, and that is succeeded."


def test_a_failure_that_is_allowed_stops_nothing() -> None:
    play = Play(
        [element("a", allow_failure=True), element("b", "a"), element("c", After("a", (FAILED,))), element("d", "b")]
    )
    play.step()
    play.end("a", "failed")
    assert play.step() == ["b", "c"]
    play.end("b")
    play.end("c")
    play.step()
    play.end("d")
    end = play.outcome()
    assert end is not None
    assert end.status == "succeeded"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("succeeded", "failed"), "failed"),
        (("failed", "exception"), "exception"),
        (("aborted", "succeeded"), "aborted"),
        (("cancelled", "succeeded"), "aborted"),
        (("aborted", "failed"), "failed"),
    ],
)
def test_the_gravest_status_is_that_of_the_pipeline(statuses: Sequence[str], expected: str) -> None:
    play = Play([element(f"e{number}") for number, _ in enumerate(statuses)])
    play.step()
    for number, status in enumerate(statuses):
        play.end(f"e{number}", status)
    end = play.outcome()
    assert end is not None
    assert end.status == expected


def test_a_condition_on_results() -> None:
    when = 'elements.a.results.tests.failed = 0 and parameters.target = "release"'
    elements = [element("a"), element("b", "a", when=when), element("c", "a", when=f"not ({when})")]
    for failed, target, expected in ((0, "release", "b"), (1, "release", "c"), (0, "test", "c"), ("0", "release", "c")):
        play = Play(elements, {"target": target})
        play.step()
        play.end("a", results={"tests": {"failed": failed}})
        assert play.step() == [expected]
        skipped = "c" if expected == "b" else "b"
        assert play.sentence(skipped).startswith("Its condition does not hold: ")


def test_parameters_are_filled_from_what_came_before() -> None:
    parameters = {
        "text": "{parameters[who]} of {project}/{job}, run {run}",
        "number": "{elements[a][results][count]}",
        "whole": "{elements[a][results]}",
        "inside": ["{elements[a][run]}", {"deep": "{elements[a][status]}!"}],
        "plain": 7,
        "braces": "{{}}",
    }
    play = Play([element("a"), element("b", "a", parameters=parameters)], {"who": "me"})
    play.step()
    play.end("a", results={"count": 3})
    play.step()
    assert play.parameters["b"] == {
        "text": "me of p/all, run pipeline",
        "number": 3,
        "whole": {"count": 3},
        "inside": ["run-a", {"deep": "succeeded!"}],
        "plain": 7,
        "braces": "{}",
    }


def test_parameters_that_cannot_be_told_are_an_exception_of_the_element() -> None:
    play = Play([element("a"), element("b", "a", parameters={"x": "{elements[a][results][count]}"}), element("c", "b")])
    play.step()
    play.end("a", results={"other": 1})
    assert play.step() == []
    assert play.statuses()["b"] == "exception"
    end = play.outcome()
    assert end is not None
    assert end.status == "exception"
    assert end.reason.sentence == (
        "Element b ended as exception: Its parameters cannot be told: '{elements[a][results][count]}': "
        "elements[a][results] has no 'count'; it has other."
    )
    assert play.log()[-3:] == [
        "b: has no run: Its parameters cannot be told: '{elements[a][results][count]}': elements[a][results] has no "
        "'count'; it has other.",
        "c: skipped: It needs b to end as succeeded, and that is exception.",
        f"exception: {end.reason.sentence}",
    ]


def test_a_run_for_each_item_of_a_list() -> None:
    parameters = {"host": "{item[name]}", "number": "{index}", "label": "{item[name]}-{index}"}
    play = Play(
        [
            element("plan"),
            element("deploy", "plan", for_each="{elements[plan][results][hosts]}", parameters=parameters),
            element("report", "deploy", parameters={"first": "{elements[deploy][items][0][results][url]}"}),
        ]
    )
    play.step()
    play.end("plan", results={"hosts": [{"name": "x"}, {"name": "y"}]})
    assert play.step() == ["deploy[0]", "deploy[1]"]
    assert play.parameters["deploy[1]"] == {"host": "y", "number": 1, "label": "y-1"}
    play.end("deploy[1]")
    assert play.step() == []
    play.end("deploy[0]", results={"url": "u"})
    assert play.step() == ["report"]
    assert play.parameters["report"] == {"first": "u"}
    play.end("report")
    end = play.outcome()
    assert end is not None
    assert end.results["elements"] == {
        "plan": {"status": "succeeded", "run": "run-plan"},
        "deploy": {"status": "succeeded", "items": {"succeeded": 2}},
        "report": {"status": "succeeded", "run": "run-report"},
    }


def test_a_list_of_which_one_item_fails() -> None:
    play = Play([element("each", for_each=(1, 2, 3)), element("then", "each")])
    assert play.step() == ["each[0]", "each[1]", "each[2]"]
    play.end("each[1]", "failed")
    assert play.statuses() == {"each": "pending", "then": "waiting"}
    play.end("each[0]")
    play.end("each[2]")
    assert play.statuses() == {"each": "failed", "then": "skipped"}
    end = play.outcome()
    assert end is not None
    assert end.reason.sentence == "Element each[1] ended as failed: It failed."


def test_an_empty_list_and_one_that_is_none() -> None:
    play = Play([element("none", for_each=()), element("then", "none"), element("wrong", for_each="{parameters}")])
    assert play.step() == ["then"]
    assert play.statuses() == {"none": "succeeded", "then": "pending", "wrong": "exception"}
    assert play.sentence("wrong") == "Its list cannot be told: for_each ('{parameters}') is no list, but {}."


def test_an_abort_triggers_nothing_more_and_waits_for_what_runs() -> None:
    play = Play([element("a"), element("b", for_each=(1, 2)), element("c", "a")])
    play.step()
    play.end("b[0]")
    play.abort()
    assert play.step() == []
    assert play.statuses() == {"a": "pending", "b": "pending", "c": "skipped"}
    play.end("a", "cancelled")
    play.end("b[1]", "aborted")
    end = play.outcome()
    assert end is not None
    assert (end.status, end.reason.sentence) == ("aborted", "Aborted by someone.")


def test_an_abort_that_comes_when_all_is_done_changes_nothing() -> None:
    play = Play([element("a"), element("b", After("a", (FAILED,)))])
    play.step()
    play.end("a")
    before = play.outcome()
    play.abort()
    assert play.outcome() == before


def test_an_abort_that_comes_when_a_condition_has_not_held_cuts_nothing_short() -> None:
    play = Play([element("a"), element("b", "a", when="elements.a.results.x = 1"), element("c")])
    play.step()
    play.end("a")
    play.step()
    play.abort()
    play.end("c")
    end = play.outcome()
    assert end is not None
    assert end.status == "succeeded"


def test_a_part_that_an_abort_came_before_stays_cancelled() -> None:
    """Also when that is read from the journal again."""
    play = Play([element("each", for_each=(1, 2)), element("slow")])
    play.step()
    del play.runs[part_key("each[1]")]  # it was not triggered yet
    play.abort()
    play.step()
    assert play.log()[-1] == "each[1]: has no run: someone asked to abort the pipeline."
    play.end("each[0]")
    assert play.statuses() == {"each": "cancelled", "slow": "pending"}
    play.end("slow")
    end = play.outcome()
    assert end is not None
    assert (end.status, end.reason.sentence) == ("aborted", "Aborted by someone.")


def test_what_is_kept_of_an_earlier_run_is_not_triggered_again() -> None:
    elements = [element("a"), element("b", for_each=(1, 2)), element("c", "a", "b")]
    first = Play(elements)
    first.step()
    first.end("a", results={"x": 1})
    first.end("b[0]")
    first.end("b[1]", "failed")
    first.step()
    kept = [run for run in first.runs.values() if run.status == "succeeded"]
    again = Play(elements, kept=kept)
    assert again.step() == ["b[1]"]
    again.end("b[1]")
    assert again.step() == ["c"]
    again.end("c")
    assert again.log() == [
        "Pipeline p/all, run pipeline-2",
        "a: run run-a of p/job succeeded before, and is kept",
        "b[0]: run run-b[0] of p/job succeeded before, and is kept",
        "b[1]: run run-b[1] of p/job is triggered",
        "b[1]: succeeded: It succeeded.",
        "c: run run-c of p/job is triggered",
        "succeeded: All elements have ended as they should.",
    ]


SEEDS = range(100)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_pipeline_comes_to_its_end(seed: int) -> None:
    """Random graphs, endings and orders: nothing starts before its time or twice, and nothing is forgotten."""
    random_ = random.Random(seed)
    elements = _random_elements(random_)
    play = Play(elements)
    endings: dict[str, str] = {}
    while play.outcome() is None:
        for label in play.step():
            name = label.split("[")[0]
            definition = next(one for one in elements if one.identifier == name)
            for after in definition.after:
                assert _counts(play, after, elements), f"{label} came before {after.element} was as it should"
        running = [key.label for key, run in play.runs.items() if not run.status.is_terminal]
        if random_.random() < 0.03:
            play.abort()
        if running:
            label = random_.choice(running)
            endings[label] = random_.choice(["succeeded"] * 4 + ["failed", "exception", "aborted"])
            play.end(label, endings[label])
    play.step()
    told = [line for line in play.log() if "is triggered" in line]
    assert len(told) == len(play.runs) == len(endings)
    assert sum("skipped:" in line for line in play.log()) == list(play.statuses().values()).count("skipped")
    if not play.run.should_abort and set(endings.values()) == {"succeeded"}:
        outcome = play.outcome()
        assert outcome is not None
        assert outcome.status == "succeeded"


def _random_elements(random_: random.Random) -> list[ElementDefinition]:
    elements: list[ElementDefinition] = []
    for number in range(random_.randint(1, 12)):
        before = random_.sample(elements, min(len(elements), random_.choice([0, 1, 1, 2, 3])))
        statuses = [(ElementStatus.SUCCEEDED,)] * 4 + [(FAILED,), FINAL_ELEMENT_STATUSES]
        after = [After(one.identifier, random_.choice(statuses)) for one in before]
        for_each = random_.choice([None, None, None, (), (1, 2), (1, 2, 3)])
        elements.append(element(f"e{number}", *after, for_each=for_each, allow_failure=random_.random() < 0.2))
    random_.shuffle(elements)
    return elements


def _counts(play: Play, after: After, elements: Sequence[ElementDefinition]) -> bool:
    """By an own reading of the rules."""
    status = play.statuses()[after.element]
    is_excused = next(one.allow_failure for one in elements if one.identifier == after.element)
    if status in after.statuses:
        return True
    return is_excused and "succeeded" in after.statuses and status in ("failed", "exception", "aborted", "cancelled")
