"""The graph of a pipeline as it is drawn."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from job_orchestra.domain.definitions import After, ElementDefinition, PipelineDefinition
from job_orchestra.domain.statuses import ElementStatus
from job_orchestra.website.pictures.pipeline_graph import graph_of_job, graph_of_run
from job_orchestra.website.pictures.shapes import SHAPES
from job_orchestra.website.pipelines import conditions_of, pipeline_of
from tests.website.pictures.answers import element_answer
from tests.website.pictures.drawing import SVG, draw, svgs, words
from tests.website.pictures.graphs import random_graph

NASTY = "<script>&\"'</script>"
LONG = "a" * 40 + "b" * 24


def element(identifier: str, *after: str, when: str = "", is_list: bool = False) -> ElementDefinition:
    return ElementDefinition(
        identifier, "work", after=tuple(map(After, after)), when=when, for_each=(1, 2, 3) if is_list else None
    )


def test_every_status_has_its_word_and_a_shape_that_the_style_sheet_gives_to_it_as_well(tmp_path: Path) -> None:
    definitions = [element(f"is-{status}") for status in ElementStatus]
    answers = [element_answer(one, status) for one, status in zip(definitions, ElementStatus, strict=True)]
    made = graph_of_run(PipelineDefinition(tuple(definitions)), answers)
    [picture] = svgs(draw(tmp_path, "graph", made))
    boxes = {box.get("class"): words(box) for box in picture.iter(f"{SVG}a")}
    style = (Path(__file__).parents[3] / "src/job_orchestra/website/static/style.css").read_text()
    for status in ElementStatus:
        assert boxes[f"box {status}"] == f"is-{status} {SHAPES[status]} {status}"
        assert re.search(rf'\.{status}::before[^{{]*{{ content: "{SHAPES[status]}"', style)


def test_each_box_leads_to_its_run_or_to_its_row(tmp_path: Path) -> None:
    one, many, later = element("one"), element("many", is_list=True), element("later", "one", "many")
    answers = [
        element_answer(one, "succeeded"),
        element_answer(many, "failed", "failed", "succeeded", "succeeded"),
        element_answer(later, "waiting"),
    ]
    made = graph_of_run(PipelineDefinition((one, many, later)), answers)
    [picture] = svgs(draw(tmp_path, "graph", made))
    first, second, third = picture.iter(f"{SVG}a")
    run = answers[0].parts[0].run
    assert run is not None
    assert first.get("href") == f"/projects/example/runs/{run.identifier}"
    assert (second.get("href"), third.get("href")) == ("#element-many", "#element-later")
    assert words(second) == "many ✕ 1 of 3 failed"
    assert {link.get("tabindex") for link in (first, second, third)} == {"-1"}
    assert "3 elements in 2 columns" in words(picture)
    assert "1 waiting, 1 succeeded, 1 failed." in words(picture)


def test_whatever_is_in_names_and_conditions_is_shown_harmlessly(tmp_path: Path) -> None:
    definitions = (element(NASTY), element(LONG, NASTY, when=NASTY))
    answers = [element_answer(definitions[0], "failed"), element_answer(definitions[1], "skipped")]
    html = draw(tmp_path, "graph", graph_of_run(PipelineDefinition(definitions), answers))
    assert "<script" not in html
    [picture] = svgs(html)
    nasty, long = picture.iter(f"{SVG}a")
    assert words(nasty) == f"{NASTY} ✕ failed"
    title = long.find(f"{SVG}title")
    assert title is not None
    assert title.text == f"{LONG}: when {NASTY}"
    assert words(long).endswith("aaaaaaaaaaaaaaaaa…bbbbbbbb ↷ skipped ◇")
    assert "◇ has a condition as well." in html


def test_texts_have_room_in_their_boxes() -> None:
    definitions = (element(LONG), element("list", is_list=True), element("short"))
    made = graph_of_run(PipelineDefinition(definitions), [element_answer(one, "succeeded") for one in definitions])
    assert made is not None
    assert made.boxes[0].box.width > 26 * 7.2
    assert made.boxes[1].box.width > len("✕ 999 of 1000 succeeded ◇") * 6
    assert made.boxes[2].box.width == 112


def test_the_graph_of_a_job_leads_to_the_jobs_of_its_elements(tmp_path: Path) -> None:
    elsewhere = ElementDefinition("there", "work", project="other", after=(After("here"),), for_each="{parameters[x]}")
    made = graph_of_job(PipelineDefinition((element("here"), elsewhere)), "example")
    [picture] = svgs(draw(tmp_path, "graph", made))
    here, there = picture.iter(f"{SVG}a")
    assert (here.get("href"), there.get("href")) == ("/projects/example/jobs/work", "/projects/other/jobs/work")
    assert (words(here), words(there)) == ("here work", "there each work")


def test_conditions_in_words() -> None:
    failed = After("a", (ElementStatus.FAILED,))
    last = ElementDefinition("c", "work", after=(failed, After("b")), when="parameters.x = 1")
    conditions = conditions_of(PipelineDefinition((element("a"), element("b"), last)))
    assert conditions == {"a": "", "b": "", "c": "a (failed), b, when parameters.x = 1"}


def test_a_definition_of_a_newer_service_has_no_picture() -> None:
    assert pipeline_of({"type": "pipeline", "elements": [{"identifier": "a", "job": "b", "colour": "red"}]}) is None
    assert pipeline_of({"type": "commands", "commands": [["true"]]}) is None
    read = pipeline_of({"type": "pipeline", "elements": [{"identifier": "a", "job": "b"}]})
    assert read is not None
    # Nor has one whose elements the service does not tell all of.
    assert graph_of_run(read, []) is None


def test_two_hundred_elements_are_small_enough_for_any_page(tmp_path: Path) -> None:
    definitions = [
        ElementDefinition(node.name.replace("e", "element-"), "work", after=tuple(
            After(after.element.replace("e", "element-"), after.statuses) for after in node.after
        ))
        for node in random_graph(5, 200, reach=12)
    ]  # fmt: skip
    statuses = list(ElementStatus)
    answers = [element_answer(one, statuses[number % len(statuses)]) for number, one in enumerate(definitions)]
    html = draw(tmp_path, "graph", graph_of_run(PipelineDefinition(tuple(definitions)), answers))
    size = len(gzip.compress(html.encode(), 6))
    print(f"{size} bytes compressed")
    assert size < 13 * 1024
