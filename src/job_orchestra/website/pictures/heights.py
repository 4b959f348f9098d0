"""How high each vertex stands: as near to its neighbours as its order and the room between boxes allow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, pairwise

from job_orchestra.website.pictures.blocks import Block
from job_orchestra.website.pictures.layers import Kind, LayeredGraph
from job_orchestra.website.pictures.ordering import neighbours

_ROOM = {Kind.JOINT: 12, Kind.BEND: 4}
_GAP = 14
_PASSES = 6
_BEND_WEIGHT = 4.0
"""Lines that go far had better be straight."""
_TALL = 800
"""What is higher hangs from its top, so that it begins where one begins to read; all else is balanced."""


def heights(graph: LayeredGraph, layers: Sequence[Sequence[int]], blocks: Sequence[Block]) -> list[int]:
    """The middle of each vertex, below the top of the highest one; none comes nearer to another than it may."""
    rooms = [_ROOM.get(vertex.kind) or blocks[vertex.node].height for vertex in graph.vertices]
    distances = [[(rooms[upper] + rooms[lower]) // 2 + _GAP for upper, lower in pairwise(layer)] for layer in layers]
    is_tall = max(map(sum, distances), default=0) > _TALL
    middles = [0.0] * len(graph.vertices)
    for layer, apart in zip(layers, distances, strict=True):
        for vertex, height in zip(layer, _stacked(apart), strict=True):
            middles[vertex] = height
    columns = list(zip(layers, distances, strict=True))
    for number, fixed in zip(range(_PASSES), cycle(neighbours(graph)), strict=False):
        for layer, apart in columns if number % 2 == 0 else reversed(columns):
            wanted = [_wanted([middles[one] for one in fixed[vertex]], middles[vertex], is_tall) for vertex in layer]
            weights = [_BEND_WEIGHT if graph.vertices[vertex].kind is Kind.BEND else 1.0 for vertex in layer]
            for vertex, height in zip(layer, _nearest(wanted, weights, apart), strict=True):
                middles[vertex] = height
    whole = _whole(columns, middles)
    top = min((height - room // 2 for height, room in zip(whole, rooms, strict=True)), default=0)
    return [height - top for height in whole]


def _stacked(apart: Sequence[int]) -> list[float]:
    """Close together, around 0."""
    heights = [0.0]
    for distance in apart:
        heights.append(heights[-1] + distance)
    return [height - heights[-1] / 2 for height in heights]


def _wanted(neighbours: Sequence[float], own: float, is_tall: bool) -> float:
    if not neighbours:
        return own
    return min(neighbours) if is_tall else sum(neighbours) / len(neighbours)


def _nearest(wanted: Sequence[float], weights: Sequence[float], apart: Sequence[int]) -> list[float]:
    """Heights in order and so far apart, with the least squares of distances from what is wanted.

    Without the distances this is a regression to something that never falls: neighbours that would overlap are pooled.
    """
    offsets = [0]
    for distance in apart:
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, float, int]] = []
    """Mean, weight and number of members."""
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, total, count = want - offset, weight, 1
        while pools and pools[-1][0] > mean:
            upper, upper_total, upper_count = pools.pop()
            mean = (upper * upper_total + mean * total) / (upper_total + total)
            total, count = upper_total + total, upper_count + count
        pools.append((mean, total, count))
    flat = [mean for mean, _, count in pools for _ in range(count)]
    return [height + offset for height, offset in zip(flat, offsets, strict=True)]


def _whole(columns: Sequence[tuple[Sequence[int], Sequence[int]]], middles: Sequence[float]) -> list[int]:
    """Rounded, which must not bring any closer together."""
    whole = [0] * len(middles)
    for layer, apart in columns:
        for place, vertex in enumerate(layer):
            whole[vertex] = round(middles[vertex])
            if place:
                whole[vertex] = max(whole[vertex], whole[layer[place - 1]] + apart[place - 1])
    return whole
