"""The graph of a pipeline: its layout, with what each box says and where it leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from job_orchestra.domain.definitions import ElementDefinition, PipelineDefinition
from job_orchestra.protocol.resources.runs import ElementAnswer
from job_orchestra.website.paths import job_path, run_path
from job_orchestra.website.pictures.blocks import MOST_CHARACTERS
from job_orchestra.website.pictures.curves import path_data
from job_orchestra.website.pictures.dependencies import Node
from job_orchestra.website.pictures.graph_layout import Box, GraphLayout, graph_layout
from job_orchestra.website.pictures.names import shortened
from job_orchestra.website.pictures.shapes import SHAPES

_MOST_OF_CONDITION = 300


@dataclass(frozen=True, slots=True)
class ElementBox:
    box: Box
    name: str
    """Short enough for the box."""
    words: str
    """The status, or what it is."""
    title: str
    """What had no room."""
    address: str
    status: str = ""
    """Empty on a picture without statuses."""
    has_condition: bool = False

    @property
    def shape(self) -> str:
        return SHAPES.get(self.status, "")


@dataclass(frozen=True, slots=True)
class PipelineGraph:
    """`description` is for those who do not see it."""

    description: str
    layout: GraphLayout
    boxes: tuple[ElementBox, ...]

    @property
    def plain_lines(self) -> str:
        return path_data(line for line in self.layout.lines if line.is_plain)

    @property
    def other_lines(self) -> str:
        return path_data(line for line in self.layout.lines if not line.is_plain)

    @property
    def notes(self) -> list[str]:
        """What not everybody reads from it at once."""
        return [
            *["A broken line waits for the end that is written on it."] * bool(self.layout.labels),
            *["◇ has a condition as well."] * any(box.has_condition for box in self.boxes),
            *["Lines to and from a frame are those of each element in it."] * bool(self.layout.frames),
        ]


def graph_of_run(
    pipeline: PipelineDefinition, elements: Sequence[ElementAnswer], table: str = ""
) -> PipelineGraph | None:
    """With statuses; None where it would have too many lines to be read.

    `table` is the address of the page with the table of elements, for a graph that is not on it.
    """
    layout = graph_layout(tuple(Node(one.identifier, one.after, _status_room(one)) for one in pipeline.elements))
    answers = {answer.identifier: answer for answer in elements}
    if layout is None or any(element.identifier not in answers for element in pipeline.elements):
        return None
    boxes = tuple(
        _box_of_run(element, box, answers[element.identifier], table)
        for element, box in zip(pipeline.elements, layout.boxes, strict=True)
    )
    counts = Counter(answer.status for answer in elements)
    numbers = ", ".join(f"{counts[status]} {status}" for status in SHAPES if counts[status])
    return PipelineGraph(f"{_extent(layout)} {numbers}. The table of elements says the same.", layout, boxes)


def graph_of_job(pipeline: PipelineDefinition, project: str) -> PipelineGraph | None:
    """Without statuses; None where it would have too many lines to be read."""
    layout = graph_layout(tuple(Node(one.identifier, one.after, len(_job_words(one))) for one in pipeline.elements))
    if layout is None:
        return None
    boxes = tuple(
        ElementBox(
            box=box,
            name=shortened(element.identifier, MOST_CHARACTERS),
            words=_job_words(element),
            title=_title(element),
            address=job_path(element.project or project, element.job),
            has_condition=bool(element.when),
        )
        for element, box in zip(pipeline.elements, layout.boxes, strict=True)
    )
    return PipelineGraph(f"{_extent(layout)} The definition says the same.", layout, boxes)


def _extent(layout: GraphLayout) -> str:
    elements = "1 element" if len(layout.boxes) == 1 else f"{len(layout.boxes)} elements"
    columns = "1 column" if layout.columns == 1 else f"{layout.columns} columns"
    return f"{elements} in {columns}, each to the right of those that it waits for."


def _box_of_run(element: ElementDefinition, box: Box, answer: ElementAnswer, table: str) -> ElementBox:
    run = answer.parts[0].run if len(answer.parts) == 1 else None
    return ElementBox(
        box=box,
        name=shortened(element.identifier, MOST_CHARACTERS),
        words=_status_words(element, answer),
        title=_title(element),
        address=f"{table}#element-{element.identifier}" if run is None else run_path(run.project, run.identifier),
        status=answer.status,
        has_condition=bool(element.when),
    )


def _status_words(element: ElementDefinition, answer: ElementAnswer) -> str:
    """`failed`; of a list, `2 of 10 failed`."""
    total = sum(answer.numbers.values())
    if element.for_each is None or not total:
        return answer.status
    number = answer.numbers.get(answer.status, 0)
    return f"{total} {answer.status}" if number == total else f"{number} of {total} {answer.status}"


def _status_room(element: ElementDefinition) -> int:
    """Characters that its status takes at most, with the shapes beside it."""
    return len("○ succeeded ◇") if element.for_each is None else len("○ 999 of 1000 succeeded ◇")


def _job_words(element: ElementDefinition) -> str:
    return shortened(f"each {element.job}" if element.for_each is not None else element.job, MOST_CHARACTERS)


def _title(element: ElementDefinition) -> str:
    """The name where it is shortened, and what has to hold."""
    name = element.identifier if len(element.identifier) > MOST_CHARACTERS else ""
    condition = shortened(f"when {element.when}", _MOST_OF_CONDITION) if element.when else ""
    return ": ".join(filter(None, (name, condition)))
