"""Where the boxes and lines of a graph are: layers as columns from left to right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from job_orchestra.website.pictures.blocks import BOX_HEIGHT, Block, blocks_of, condensed
from job_orchestra.website.pictures.columns import MARGIN, Column, columns_of, label_of
from job_orchestra.website.pictures.dependencies import SUCCEEDED, Node
from job_orchestra.website.pictures.heights import heights
from job_orchestra.website.pictures.layers import Kind, LayeredGraph, layered
from job_orchestra.website.pictures.ordering import with_few_crossings

_MOST_LINES = 6000
"""More cannot be read, and take too long."""
_MOST_DEPENDENCIES = 50_000
_LABEL_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    width: int
    height: int
    is_entered: bool = False
    """By a line, at the middle of its left side."""


@dataclass(frozen=True, slots=True)
class Line:
    x: int
    y: int
    to_x: int
    to_y: int
    is_plain: bool
    """False: it waits for another end than success."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text with its middle there."""

    x: int
    y: int
    text: str


@dataclass(frozen=True, slots=True)
class GraphLayout:
    width: int
    height: int
    columns: int
    """Those that have boxes."""
    boxes: tuple[Box, ...]
    """One for each node, in their order."""
    frames: tuple[Box, ...]
    """Around boxes that have their lines together."""
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    joints: tuple[tuple[int, int], ...]


@lru_cache(maxsize=16)
def graph_layout(nodes: tuple[Node, ...]) -> GraphLayout | None:
    """None where there would be too many lines. Pages that refresh ask for the same one again and again."""
    if sum(len(node.after) for node in nodes) > _MOST_DEPENDENCIES:
        return None
    blocks = blocks_of(nodes)
    graph = layered(condensed(nodes, blocks), _MOST_LINES)
    if graph is None:
        return None
    middles = [MARGIN + height for height in heights(graph, with_few_crossings(graph), blocks)]
    placed = _Placed(graph, blocks, columns_of(graph, blocks), middles)
    outlines = list(_outlines(placed))
    labels = tuple(_labels(placed))
    bottoms = (*(box.y + box.height for _, box in outlines), *(label.y for label in labels), *middles)
    return GraphLayout(
        width=placed.columns[-1].right + MARGIN if placed.columns else 0,
        height=max(bottoms, default=0) + MARGIN,
        columns=sum(column.has_boxes for column in placed.columns),
        boxes=tuple(box for _, box in sorted(_boxes(outlines), key=lambda item: item[0])),
        frames=tuple(outline for block, outline in outlines if block.has_frame),
        lines=tuple(dict.fromkeys(_lines(placed))),
        labels=labels,
        joints=tuple(
            (placed.column(number).left, middles[number])
            for number, vertex in enumerate(graph.vertices)
            if vertex.kind is Kind.JOINT
        ),
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    graph: LayeredGraph
    blocks: Sequence[Block]
    columns: Sequence[Column]
    middles: Sequence[int]
    """Of each vertex, how high it stands."""

    def column(self, number: int) -> Column:
        return self.columns[self.graph.vertices[number].layer]

    def right(self, number: int) -> int:
        """Where lines leave a vertex: not all in a column are as wide as it is."""
        vertex = self.graph.vertices[number]
        width = self.blocks[vertex.node].width if vertex.kind is Kind.ELEMENT else 0
        return self.columns[vertex.layer].left + width


def _outlines(placed: _Placed) -> Iterator[tuple[Block, Box]]:
    """Of each block, at the left of its column."""
    entered = {segment.end for segment in placed.graph.segments}
    for number, vertex in enumerate(placed.graph.vertices):
        if vertex.kind is Kind.ELEMENT:
            block, left = placed.blocks[vertex.node], placed.column(number).left
            top = placed.middles[number] - block.height // 2
            yield block, Box(left, top, block.width, block.height, number in entered)


def _boxes(outlines: Sequence[tuple[Block, Box]]) -> Iterator[tuple[int, Box]]:
    """With the number of the node of each."""
    for block, outline in outlines:
        is_entered = outline.is_entered and not block.has_frame
        for node, (x, y) in zip(block.members, block.places(), strict=True):
            yield node, Box(outline.x + x, outline.y + y, block.box_width, BOX_HEIGHT, is_entered)


def _lines(placed: _Placed) -> Iterator[Line]:
    """Those between layers and, where a line goes on through a layer with boxes, its piece there."""
    for segment in placed.graph.segments:
        start, end = placed.column(segment.start), placed.column(segment.end)
        from_y, to_y = placed.middles[segment.start], placed.middles[segment.end]
        is_plain = segment.statuses == SUCCEEDED
        if (right := placed.right(segment.start)) < start.right:
            yield Line(right, from_y, start.right, from_y, is_plain)
        yield Line(start.right, from_y, end.left, to_y, is_plain)


def _labels(placed: _Placed) -> Iterator[Label]:
    """In the middle of their lines, one below the other where they would meet."""
    wanted = sorted(
        (
            (placed.column(segment.start).right + placed.column(segment.end).left) // 2,
            (placed.middles[segment.start] + placed.middles[segment.end]) // 2,
            label_of(segment),
        )
        for segment in placed.graph.segments
        if label_of(segment)
    )
    lowest: dict[int, int] = {}
    for x, y, text in dict.fromkeys(wanted):
        lowest[x] = max(y, lowest.get(x, y - _LABEL_HEIGHT) + _LABEL_HEIGHT)
        yield Label(x, lowest[x], text)
