"""Elements that wait for the same, and that the same wait for: many of them are one block, with one line for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from job_orchestra.domain.definitions import After
from job_orchestra.website.pictures.dependencies import Node, Statuses
from job_orchestra.website.pictures.names import NAME_CHARACTER, TEXT_CHARACTER, shortened

MOST_CHARACTERS = 26
BOX_HEIGHT = 40
_LEAST_MEMBERS = 6
"""Fewer have lines of their own."""
_LEAST_ROWS = 8
_LEAST_WIDTH = 112
_PADDING = 12
_GAP = 8


@dataclass(frozen=True, slots=True)
class Block:
    members: tuple[int, ...]
    """Numbers of nodes; one that stands for itself is a block of one, without a frame."""
    box_width: int

    @property
    def has_frame(self) -> bool:
        return len(self.members) > 1

    @property
    def columns(self) -> int:
        return ceil(len(self.members) / max(_LEAST_ROWS, ceil(sqrt(len(self.members)))))

    @property
    def width(self) -> int:
        return self.box_width if not self.has_frame else self.columns * (self.box_width + _GAP) + _GAP

    @property
    def height(self) -> int:
        rows = ceil(len(self.members) / self.columns)
        return BOX_HEIGHT if not self.has_frame else rows * (BOX_HEIGHT + _GAP) + _GAP

    def places(self) -> list[tuple[int, int]]:
        """Of each member, from the corner of the block."""
        if not self.has_frame:
            return [(0, 0)]
        cells = (divmod(number, self.columns) for number in range(len(self.members)))
        return [(_GAP + column * (self.box_width + _GAP), _GAP + row * (BOX_HEIGHT + _GAP)) for row, column in cells]


def blocks_of(nodes: Sequence[Node]) -> list[Block]:
    """Every node is in one, in the order of the first of each."""
    followers: dict[str, set[tuple[str, Statuses]]] = defaultdict(set)
    for node in nodes:
        for after in node.after:
            followers[after.element].add((node.name, after.statuses))
    alike: dict[tuple[frozenset[After], frozenset[tuple[str, Statuses]]], list[int]] = defaultdict(list)
    for number, node in enumerate(nodes):
        alike[frozenset(node.after), frozenset(followers[node.name])].append(number)
    groups = [[group] if len(group) >= _LEAST_MEMBERS else [[one] for one in group] for group in alike.values()]
    members = sorted(one for group in groups for one in group)
    return [Block(tuple(one), max(_box_width(nodes[number]) for number in one)) for one in members]


def condensed(nodes: Sequence[Node], blocks: Sequence[Block]) -> list[Node]:
    """One node for each block: who waits for a member of it waits for all of them."""
    first = {nodes[number].name: nodes[block.members[0]].name for block in blocks for number in block.members}
    return [
        Node(one.name, tuple(dict.fromkeys(After(first[after.element], after.statuses) for after in one.after)))
        for one in (nodes[block.members[0]] for block in blocks)
    ]


def _box_width(node: Node) -> int:
    name = len(shortened(node.name, MOST_CHARACTERS)) * NAME_CHARACTER
    return max(_LEAST_WIDTH, ceil(max(name, node.characters * TEXT_CHARACTER)) + 2 * _PADDING)
