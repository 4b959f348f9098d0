"""Which lines a graph of elements needs: none that follow from others, and few where many wait for the same many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TypeAlias

from job_orchestra.domain.definitions import After
from job_orchestra.domain.statuses import ElementStatus

Statuses: TypeAlias = tuple[ElementStatus, ...]
SUCCEEDED: Statuses = (ElementStatus.SUCCEEDED,)


@dataclass(frozen=True, slots=True)
class Node:
    """An element: its name, what it waits for, and how much is to be written below the name."""

    name: str
    after: tuple[After, ...] = ()
    characters: int = 0
    """Of the line below the name, at most."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """All of `targets` wait for all of `sources`; each by the number of its node."""

    sources: tuple[tuple[int, Statuses], ...]
    targets: tuple[int, ...]


def bundles_of(nodes: Sequence[Node]) -> list[Bundle]:
    """Every node that waits for something is a target once; those that wait for the same are together."""
    members: dict[tuple[tuple[int, Statuses], ...], list[int]] = defaultdict(list)
    for target, sources in enumerate(_reduced(nodes)):
        if sources:
            members[sources].append(target)
    return [Bundle(sources, tuple(targets)) for sources, targets in members.items()]


def topological(nodes: Sequence[Node]) -> list[int]:
    """Numbers of the nodes, each behind those that it waits for."""
    numbers = {node.name: number for number, node in enumerate(nodes)}
    sorter = TopologicalSorter(
        {number: [numbers[after.element] for after in node.after] for number, node in enumerate(nodes)}
    )
    return list(sorter.static_order())


def _reduced(nodes: Sequence[Node]) -> list[tuple[tuple[int, Statuses], ...]]:
    """Of each node what it waits for, without what it waits for anyway: success, through others that need it, too.

    Sets of nodes are bits of integers, so that a thousand nodes with all the lines there can be take no time.
    """
    numbers = {node.name: number for number, node in enumerate(nodes)}
    implied = [0] * len(nodes)
    sources: list[tuple[tuple[int, Statuses], ...]] = [()] * len(nodes)
    ranks = {number: rank for rank, number in enumerate(topological(nodes))}
    for number in sorted(ranks, key=ranks.__getitem__):
        waits = [(numbers[after.element], after.statuses) for after in nodes[number].after]
        kept: list[tuple[int, Statuses]] = []
        for source, statuses in sorted(waits, key=lambda wait: -ranks[wait[0]]):
            if statuses != SUCCEEDED:
                kept.append((source, statuses))
            elif not implied[number] >> source & 1:
                kept.append((source, statuses))
                implied[number] |= implied[source] | 1 << source
        sources[number] = tuple(sorted(kept, key=lambda wait: wait[0]))
    return sources
