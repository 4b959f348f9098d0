"""Graphs of elements to be drawn, and what their drawings say when their lines are followed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from job_orchestra.domain.definitions import After
from job_orchestra.domain.statuses import ElementStatus
from job_orchestra.website.pictures.dependencies import Node
from job_orchestra.website.pictures.graph_layout import Box, GraphLayout

FAILED = (ElementStatus.FAILED,)
Point = tuple[int, int]


def node(name: str, *after: str | After) -> Node:
    return Node(name, tuple(After(one) if isinstance(one, str) else one for one in after))


def random_graph(seed: int, size: int, reach: int = 15) -> tuple[Node, ...]:
    """Without cycles; its elements are in an order of their own, and wait for any of the `reach` before them."""
    chance = random.Random(seed)
    nodes: list[Node] = []
    for number in range(size):
        before = range(max(0, number - reach), number)
        chosen = chance.sample(before, min(len(before), chance.choice((0, 1, 1, 2, 3))))
        after = [After(f"e{one}", FAILED) if chance.random() < 0.1 else After(f"e{one}") for one in chosen]
        nodes.append(Node(f"e{number}", tuple(after)))
    chance.shuffle(nodes)
    return tuple(nodes)


def stages(count: int, size: int) -> tuple[Node, ...]:
    """Each element of a stage waits for all of the one before."""
    return tuple(
        node(f"s{stage}-{number}", *(f"s{stage - 1}-{one}" for one in range(size) if stage))
        for stage in range(count)
        for number in range(size)
    )


def followed(nodes: Sequence[Node], layout: GraphLayout) -> dict[str, set[str]]:
    """Of each element those that its lines lead to, without passing through another one."""
    ways: dict[Point, list[Point]] = defaultdict(list)
    for line in layout.lines:
        ways[line.x, line.y].append((line.to_x, line.to_y))
    entries: dict[Point, set[str]] = defaultdict(set)
    for one, box in zip(nodes, layout.boxes, strict=True):
        outline = _outline(box, layout)
        entries[outline.x, outline.y + outline.height // 2].add(one.name)
    found: dict[str, set[str]] = {}
    for one, box in zip(nodes, layout.boxes, strict=True):
        outline = _outline(box, layout)
        found[one.name] = _reached((outline.x + outline.width, outline.y + outline.height // 2), ways, entries)
    return found


def _reached(start: Point, ways: dict[Point, list[Point]], entries: dict[Point, set[str]]) -> set[str]:
    reached: set[str] = set()
    points = list(ways.get(start, ()))
    while points:
        point = points.pop()
        if point in entries:
            reached |= entries[point]
        else:
            points += ways.get(point, ())
    return reached


def _outline(box: Box, layout: GraphLayout) -> Box:
    """The frame that it is in, or its own."""
    return next((frame for frame in layout.frames if contains(frame, box)), box)


def contains(outer: Box, inner: Box) -> bool:
    is_wide_enough = outer.x <= inner.x and inner.x + inner.width <= outer.x + outer.width
    return is_wide_enough and outer.y <= inner.y and inner.y + inner.height <= outer.y + outer.height


def overlap(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not beside and one.y < other.y + other.height and other.y < one.y + one.height


def closure(followers: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Who comes before whom, over any number of lines."""
    pairs: set[tuple[str, str]] = set()
    for start in followers:
        points = [start]
        while points:
            for follower in followers[points.pop()]:
                if (start, follower) not in pairs:
                    pairs.add((start, follower))
                    points.append(follower)
    return pairs
