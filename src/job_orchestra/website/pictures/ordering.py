"""The order of the vertices in each layer: sweeps put each to the middle of its neighbours, and the best one stays."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence

from job_orchestra.website.pictures.layers import LayeredGraph

Neighbours = Sequence[Sequence[int]]

_MOST_SWEEPS = 8
_IN_VAIN = 2
"""So many sweeps without fewer crossings, and there will hardly be fewer."""


def neighbours(graph: LayeredGraph) -> tuple[list[list[int]], list[list[int]]]:
    """Of each vertex those in the layer before, and those in the layer behind."""
    before: list[list[int]] = [[] for _ in graph.vertices]
    behind: list[list[int]] = [[] for _ in graph.vertices]
    for segment in graph.segments:
        before[segment.end].append(segment.start)
        behind[segment.start].append(segment.end)
    return before, behind


def with_few_crossings(graph: LayeredGraph) -> list[list[int]]:
    """The layers in an order that has at most as many crossings as the one they are in."""
    before, behind = neighbours(graph)
    best = [list(layer) for layer in graph.layers]
    fewest = crossings(best, behind)
    layers, in_vain = best, 0
    for sweep in range(_MOST_SWEEPS):
        if fewest == 0 or in_vain == _IN_VAIN:
            break
        layers = _swept(layers, before) if sweep % 2 == 0 else _swept(layers[::-1], behind)[::-1]
        found = crossings(layers, behind)
        if found < fewest:
            best, fewest, in_vain = layers, found, 0
        else:
            in_vain += 1
    return best


def crossings(layers: Sequence[Sequence[int]], behind: Neighbours) -> int:
    """How many pairs of segments between the same two layers cross."""
    places = _places(layers)
    found = 0
    for layer in layers:
        ends: list[int] = []
        for vertex in layer:
            own = sorted(places[end] for end in behind[vertex])
            found += sum(len(ends) - bisect_right(ends, end) for end in own)
            for end in own:
                insort(ends, end)
    return found


def _swept(layers: Sequence[Sequence[int]], fixed: Neighbours) -> list[list[int]]:
    """From the first layer on, each ordered by where its neighbours in the one before it are."""
    ordered: list[list[int]] = [list(layers[0])]
    for layer in layers[1:]:
        ordered.append(_sorted(layer, fixed, _places(ordered[-1:])))
    return ordered


def _sorted(layer: Sequence[int], fixed: Neighbours, places: Mapping[int, int]) -> list[int]:
    """Who has no neighbours stays where it is; the others share the places that are left."""
    means = {
        vertex: sum(places[one] for one in fixed[vertex]) / len(fixed[vertex]) for vertex in layer if fixed[vertex]
    }
    moved = iter(sorted(means, key=means.__getitem__))
    return [next(moved) if vertex in means else vertex for vertex in layer]


def _places(layers: Sequence[Sequence[int]]) -> dict[int, int]:
    return {vertex: place for layer in layers for place, vertex in enumerate(layer)}
