"""How wide the layers of a graph are, and the room between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES
from job_orchestra.website.pictures.blocks import Block
from job_orchestra.website.pictures.dependencies import SUCCEEDED, Statuses
from job_orchestra.website.pictures.layers import Kind, LayeredGraph, Segment
from job_orchestra.website.pictures.names import TEXT_CHARACTER

MARGIN = 8
_GAP = 44
_GAP_AT_JOINTS = 22


@dataclass(frozen=True, slots=True)
class Column:
    left: int
    right: int

    @property
    def has_boxes(self) -> bool:
        return self.right > self.left


def columns_of(graph: LayeredGraph, blocks: Sequence[Block]) -> list[Column]:
    """One for each layer, as wide as its widest block; those of joints and bends alone have no width."""
    texts = [0] * len(graph.layers)
    for segment in graph.segments:
        number = graph.vertices[segment.end].layer
        texts[number] = max(texts[number], ceil(len(label_of(segment)) * TEXT_CHARACTER))
    columns: list[Column] = []
    for layer, text in zip(graph.layers, texts, strict=True):
        vertices = (graph.vertices[number] for number in layer)
        width = max((blocks[vertex.node].width for vertex in vertices if vertex.kind is Kind.ELEMENT), default=0)
        left = columns[-1].right + text + _gap(columns[-1], width) if columns else MARGIN
        columns.append(Column(left, left + width))
    return columns


def label_of(segment: Segment) -> str:
    """What is written on a line: nothing where it waits for success, or goes on from a bend."""
    return statuses_words(segment.statuses) if segment.is_last and segment.statuses != SUCCEEDED else ""


def statuses_words(statuses: Statuses) -> str:
    """`failed or exception`; `any end` where it does not matter."""
    return "any end" if set(statuses) == set(FINAL_ELEMENT_STATUSES) else " or ".join(statuses)


def _gap(before: Column, width: int) -> int:
    return _GAP if before.has_boxes and width else _GAP_AT_JOINTS
