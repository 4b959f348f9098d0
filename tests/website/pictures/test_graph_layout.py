"""What holds for the layout of any graph of elements."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from job_orchestra.domain.definitions import After
from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES, ElementStatus
from job_orchestra.website.pictures.dependencies import Node
from job_orchestra.website.pictures.graph_layout import GraphLayout, graph_layout
from job_orchestra.website.pictures.layers import LayeredGraph, layered
from job_orchestra.website.pictures.ordering import crossings, neighbours, with_few_crossings
from tests.website.pictures.graphs import (
    FAILED,
    closure,
    contains,
    followed,
    node,
    overlap,
    random_graph,
    stages,
)

SEEDS = range(40)


def drawn(*nodes: Node) -> GraphLayout:
    layout = graph_layout(nodes)
    assert layout is not None
    return layout


def sized(seed: int) -> tuple[Node, ...]:
    return random_graph(seed, size=1 + seed * 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_go_right_and_boxes_have_their_room(seed: int) -> None:
    nodes = sized(seed)
    layout = drawn(*nodes)
    assert all(line.x < line.to_x for line in layout.lines)
    outlines = [*layout.frames, *(box for box in layout.boxes if not any(contains(one, box) for one in layout.frames))]
    assert not any(overlap(*pair) for pair in combinations(layout.boxes, 2))
    assert not any(overlap(*pair) for pair in combinations(outlines, 2))
    for box in outlines:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= layout.width and box.y + box.height <= layout.height
        for line in layout.lines:
            is_below_or_above = max(line.y, line.to_y) < box.y or min(line.y, line.to_y) > box.y + box.height
            is_beside = line.to_x <= box.x or line.x >= box.x + box.width
            assert is_beside or is_below_or_above, "a line goes through a box"


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_say_who_waits_for_whom(seed: int) -> None:
    """Every line leads to who waits for its start, and none is missing that does not follow from others."""
    nodes = sized(seed)
    waiting: dict[str, set[str]] = {one.name: set() for one in nodes}
    for one in nodes:
        for after in one.after:
            waiting[after.element].add(one.name)
    found = followed(nodes, drawn(*nodes))
    assert all(found[name] <= waiting[name] for name in waiting)
    assert closure(found) == closure(waiting)
    conditional = [(after.element, one.name) for one in nodes for after in one.after if after.statuses == FAILED]
    assert all(end in found[start] for start, end in conditional)


@pytest.mark.parametrize("seed", SEEDS)
def test_there_are_no_more_crossings_than_in_the_order_of_the_definition(seed: int) -> None:
    graph = layered(sized(seed), 10_000)
    assert graph is not None
    behind = neighbours(graph)[1]
    assert crossings(with_few_crossings(graph), behind) <= crossings(graph.layers, behind)
    assert crossings(graph.layers, behind) == _counted_one_by_one(graph)


def _counted_one_by_one(graph: LayeredGraph) -> int:
    places = {vertex: place for layer in graph.layers for place, vertex in enumerate(layer)}
    by_layer: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for segment in graph.segments:
        by_layer[graph.vertices[segment.start].layer].append((places[segment.start], places[segment.end]))
    return sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0
        for lines in by_layer.values()
        for one, other in combinations(lines, 2)
    )


def test_lines_that_need_not_cross_do_not() -> None:
    names = ("a", "b", "c", "d")
    graph = layered([*(node(name) for name in names), *(node(f"{name}2", name) for name in reversed(names))], 100)
    assert graph is not None
    behind = neighbours(graph)[1]
    assert crossings(graph.layers, behind) == 6
    assert crossings(with_few_crossings(graph), behind) == 0


def test_the_same_elements_always_give_the_same_picture() -> None:
    program = (
        "from tests.website.pictures.graphs import random_graph\n"
        "from job_orchestra.website.pictures.graph_layout import graph_layout\n"
        "print(graph_layout(random_graph(7, 60)))"
    )
    root = Path(__file__).parents[3]
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{root / 'src'}:{root}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {f"{graph_layout(random_graph(7, 60))}\n"}


def test_a_chain_is_straight_and_what_follows_from_others_is_left_out() -> None:
    layout = drawn(node("a"), node("b", "a"), node("c", "a", "b"), node("d", "a", "b", "c"))
    assert len({box.y for box in layout.boxes}) == 1
    assert [box.is_entered for box in layout.boxes] == [False, True, True, True]
    assert len(layout.lines) == 3
    assert all(one.x + one.width < other.x for one, other in pairwise(layout.boxes))


def test_another_end_than_success_has_a_broken_line_with_words() -> None:
    always = After("b", FINAL_ELEMENT_STATUSES)
    two = After("a", (ElementStatus.FAILED, ElementStatus.EXCEPTION))
    layout = drawn(node("a"), node("b", "a"), node("c", two, "b"), node("d", always, "c"))
    assert {label.text for label in layout.labels} == {"failed or exception", "any end"}
    assert any(not line.is_plain for line in layout.lines)
    assert any(line.is_plain for line in layout.lines)
    # The line from a to c follows from nothing: b might be there although a has failed.
    assert followed([node("a"), node("b"), node("c"), node("d")], layout) == {
        "a": {"b", "c"}, "b": {"c", "d"}, "c": {"d"}, "d": set()
    }  # fmt: skip


def test_labels_do_not_cover_each_other() -> None:
    layout = drawn(node("a"), *(node(f"b{number}", After("a", FAILED)) for number in range(5)))
    assert len(layout.labels) == 5
    assert all(other.y - one.y >= 14 for one, other in pairwise(sorted(layout.labels, key=lambda label: label.y)))
    assert layout.height >= max(label.y for label in layout.labels)


def test_many_that_wait_for_the_same_are_in_one_frame() -> None:
    layout = drawn(
        node("first"),
        *(node(f"t{number}", "first") for number in range(60)),
        node("last", *(f"t{number}" for number in range(60))),
    )
    [frame] = layout.frames
    assert len(layout.lines) == 2
    assert all(contains(frame, box) for box in layout.boxes[1:-1])
    assert not contains(frame, layout.boxes[0])
    assert frame.is_entered
    assert layout.height < 700
    assert layout.columns == 3


def test_where_all_wait_for_all_the_lines_meet() -> None:
    layout = drawn(*stages(4, 5))
    assert len(layout.joints) == 3
    assert len(layout.lines) == 3 * (5 + 5)
    assert followed(stages(4, 5), layout)["s0-2"] == {f"s1-{number}" for number in range(5)}


def test_a_pipeline_may_be_empty_or_one_element() -> None:
    assert drawn().boxes == ()
    assert len(drawn(node("alone")).boxes) == 1


def test_what_nobody_could_read_is_not_drawn() -> None:
    """Neither too many lines, nor so many dependencies that to find that out would take long."""
    chance = random.Random(1)
    sources = [node(f"s{number}") for number in range(150)]
    tangle = [node(f"t{number}", *(one.name for one in chance.sample(sources, 100))) for number in range(150)]
    assert graph_layout((*sources, *tangle[:5])) is not None
    assert graph_layout((*sources, *tangle)) is None
    assert (
        graph_layout(tuple(node(f"e{one}", *(f"e{other}" for other in range(one))) for one in range(200))) is not None
    )
    assert graph_layout(tuple(node(f"e{one}", *(f"e{other}" for other in range(one))) for one in range(400))) is None


def test_the_work_grows_little_faster_than_the_graph() -> None:
    def work(size: int) -> int:
        nodes = random_graph(3, size, reach=4)
        return _steps(lambda: graph_layout.__wrapped__(nodes))

    small, large = work(200), work(1000)
    assert small < 200_000
    assert large < 10 * small


def _steps(call: Callable[[], object]) -> int:
    """Lines of pictures that are executed: a measure of time that is the same on every machine."""
    steps = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        if "pictures" not in frame.f_code.co_filename:
            return None
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert call() is not None
    finally:
        sys.settrace(before)
    return steps
