"""Addresses made of a template and what is known of a run."""

from __future__ import annotations

from string import Formatter
from urllib.parse import quote, urlsplit


class LinkTemplate:
    """`https://example.org/{project}/{revision}`; ValueError for another scheme, or a field that is not in `fields`."""

    def __init__(self, template: str, fields: frozenset[str]) -> None:
        used = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        if unknown := sorted(used - fields):
            raise ValueError(f"{template!r} has the field {unknown[0]!r}; there are {', '.join(sorted(fields))}")
        if urlsplit(template).scheme not in {"http", "https"}:
            raise ValueError(f"{template!r} is no address that begins with http:// or https://")
        self._template = template

    def fill(self, **values: str) -> str:
        """Each value is quoted, but for the slashes in it."""
        return self._template.format_map({name: quote(value) for name, value in values.items()})
