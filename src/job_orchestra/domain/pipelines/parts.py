"""A part of a pipeline is what one run is for: an element or, of one with a list, one of its items."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LABEL = re.compile(r"(?P<element>[^\[\]]+)(?:\[(?P<index>0|[1-9][0-9]{0,8})\])?")


@dataclass(frozen=True, slots=True, order=True)
class PartKey:
    element: str
    index: int | None = None
    """Of the item, from 0; None for an element without a list."""

    @property
    def label(self) -> str:
        """As it is stored and shown: `test`, or `test[2]`."""
        return self.element if self.index is None else f"{self.element}[{self.index}]"


def part_key(label: str) -> PartKey:
    """ValueError for a text that is no label."""
    found = _LABEL.fullmatch(label)
    if found is None:
        raise ValueError(f"{label!r} is no label of a pipeline's part, such as test or test[2]")
    index = found["index"]
    return PartKey(found["element"], None if index is None else int(index))
