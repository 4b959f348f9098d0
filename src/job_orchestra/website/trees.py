"""Arbitrary JSON (parameters, properties, results) as a tree that a page can show, bounded in every direction."""

from __future__ import annotations

import json
from dataclasses import dataclass

from job_orchestra.domain.json import JsonValue
from job_orchestra.website.presentation import safe_url

_MOST_NODES = 500
_MOST_CHILDREN = 100
_DEEPEST = 12
_LONGEST_TEXT = 2000
_SHORT_LIST = 80
"""Characters."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A name with either text or children; what did not fit is counted in `hidden`."""

    name: str
    kind: str
    """`text`, `number`, `word` (true, false, null), `list` or `object`."""
    text: str
    url: str | None = None
    children: tuple[Tree, ...] = ()
    hidden: int = 0

    @property
    def is_short_list(self) -> bool:
        """Whether it reads best on one line."""
        if self.kind != "list" or self.hidden or any(child.children or child.url for child in self.children):
            return False
        return sum(len(child.text) + 2 for child in self.children) <= _SHORT_LIST


def tree_of(value: JsonValue, name: str = "") -> Tree:
    return _Builder().build(name, value, 0)


class _Builder:
    def __init__(self) -> None:
        self._left = _MOST_NODES

    def build(self, name: str, value: JsonValue, depth: int) -> Tree:
        self._left -= 1
        if isinstance(value, dict):
            return self._container(name, "object", list(value.items()), depth)
        if isinstance(value, list):
            return self._container(name, "list", [(str(index), item) for index, item in enumerate(value)], depth)
        if isinstance(value, str):
            shown = value if len(value) <= _LONGEST_TEXT else value[:_LONGEST_TEXT] + "…"
            return Tree(name, "text", shown, url=safe_url(value) if shown is value else None)
        kind = "word" if value is None or isinstance(value, bool) else "number"
        return Tree(name, kind, json.dumps(value))

    def _container(self, name: str, kind: str, items: list[tuple[str, JsonValue]], depth: int) -> Tree:
        if not items:
            return Tree(name, kind, "{}" if kind == "object" else "[]")
        children: list[Tree] = []
        if depth < _DEEPEST:
            for child_name, child in items[:_MOST_CHILDREN]:
                if self._left <= 0:
                    break
                children.append(self.build(child_name, child, depth + 1))
        return Tree(name, kind, "", children=tuple(children), hidden=len(items) - len(children))
