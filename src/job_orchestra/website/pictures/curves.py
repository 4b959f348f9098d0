"""The lines of a layout as data of an SVG path: few characters, since there may be thousands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from job_orchestra.website.pictures.graph_layout import Line


def path_data(lines: Iterable[Line]) -> str:
    return "".join(f"M{chain[0].x} {chain[0].y}{''.join(_pieces(chain))}" for chain in _chains(lines))


def _chains(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Each line once, behind one that ends where it begins if there is any left."""
    starting: dict[tuple[int, int], list[Line]] = defaultdict(list)
    for line in lines:
        starting[line.x, line.y].append(line)
    for start in list(starting):
        while starting[start]:
            chain = [starting[start].pop(0)]
            while following := starting.get((chain[-1].to_x, chain[-1].to_y)):
                chain.append(following.pop(0))
            yield chain


def _pieces(chain: Iterable[Line]) -> Iterator[str]:
    """Straight, or curves that leave and arrive level."""
    for is_level, lines in groupby(chain, lambda line: line.y == line.to_y):
        if is_level:
            yield f"h{sum(line.to_x - line.x for line in lines)}"
        else:
            for line in lines:
                width, height = line.to_x - line.x, line.to_y - line.y
                yield f"c{width // 2} 0 {width // 2} {height} {width} {height}"
