"""Each element in the layer behind the last one that it waits for; lines that go further bend in the layers between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from job_orchestra.website.pictures.dependencies import SUCCEEDED, Bundle, Node, Statuses, bundles_of, topological


class Kind(Enum):
    ELEMENT = auto()
    JOINT = auto()
    """Where the lines of several elements meet on their way to several others."""
    BEND = auto()


@dataclass(frozen=True, slots=True)
class Vertex:
    kind: Kind
    layer: int
    node: int = -1
    """Of an element, its number."""


@dataclass(frozen=True, slots=True)
class Segment:
    """From a vertex to one in the next layer."""

    start: int
    end: int
    statuses: Statuses = SUCCEEDED
    is_last: bool = True
    """It comes to what waits, and not to a bend."""


@dataclass(slots=True)
class LayeredGraph:
    vertices: list[Vertex] = field(default_factory=list[Vertex])
    segments: list[Segment] = field(default_factory=list[Segment])
    layers: list[list[int]] = field(default_factory=list[list[int]])
    """Vertices from top to bottom."""

    def add(self, vertex: Vertex) -> int:
        self.vertices.append(vertex)
        self.layers[vertex.layer].append(len(self.vertices) - 1)
        return len(self.vertices) - 1


def layered(nodes: Sequence[Node], most: int) -> LayeredGraph | None:
    """In the order of the definition; None where it would have more vertices or segments than that."""
    steps = _steps(nodes)
    bundles = bundles_of(nodes)
    # Elements have even places, joints odd ones between them: layers of their own, where there are any.
    joints = {2 * steps[bundle.targets[0]] - 1 for bundle in bundles if _is_joined(bundle)}
    layer_at = {place: layer for layer, place in enumerate(sorted(joints.union(2 * step for step in steps)))}
    graph = LayeredGraph(layers=[[] for _ in layer_at])
    for number, step in enumerate(steps):
        graph.add(Vertex(Kind.ELEMENT, layer_at[2 * step], number))
    ways = _Ways(graph, most)
    for bundle in bundles:
        ends: Sequence[int] = bundle.targets
        if _is_joined(bundle):
            joint = graph.add(Vertex(Kind.JOINT, layer_at[2 * steps[bundle.targets[0]] - 1]))
            graph.segments.extend(Segment(joint, target) for target in bundle.targets)
            ends = [joint]
        for source, statuses in bundle.sources:
            for end in ends:
                ways.lead(source, end, statuses)
        if max(len(graph.vertices), len(graph.segments)) > most:
            return None
    return graph


def _is_joined(bundle: Bundle) -> bool:
    return len(bundle.sources) > 1 and len(bundle.targets) > 1


def _steps(nodes: Sequence[Node]) -> list[int]:
    """How many elements, one after the other, each has before it at most."""
    numbers = {node.name: number for number, node in enumerate(nodes)}
    steps = [0] * len(nodes)
    for number in topological(nodes):
        steps[number] = max((steps[numbers[after.element]] + 1 for after in nodes[number].after), default=0)
    return steps


class _Ways:
    """Lines from one vertex share their bends, as long as they mean the same."""

    def __init__(self, graph: LayeredGraph, most: int) -> None:
        self._graph = graph
        self._most = most
        self._bends: dict[tuple[int, Statuses], list[int]] = {}

    def lead(self, source: int, end: int, statuses: Statuses) -> None:
        graph = self._graph
        first, last = graph.vertices[source].layer, graph.vertices[end].layer
        way = self._bends.setdefault((source, statuses), [source])
        while first + len(way) < last and len(graph.vertices) <= self._most:
            bend = graph.add(Vertex(Kind.BEND, first + len(way)))
            graph.segments.append(Segment(way[-1], bend, statuses, is_last=False))
            way.append(bend)
        if first + len(way) >= last:
            graph.segments.append(Segment(way[last - first - 1], end, statuses))
