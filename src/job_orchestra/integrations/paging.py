"""Positions in a history, for hosts that count in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from job_orchestra.domain.revisions import Position, Revision, Revisions


@dataclass(frozen=True, slots=True)
class NumberedPage:
    start: str
    """A branch, or the revision at which an earlier page has begun."""
    number: int
    """From 1 on."""
    skipped: int
    """Revisions at its beginning that came before: where pages had another length then."""


def page_at(branch: str, limit: int, position: Position | None) -> NumberedPage:
    if position is None:
        return NumberedPage(branch, 1, 0)
    return NumberedPage(position.head, position.offset // limit + 1, position.offset % limit)


def revisions_of(items: Sequence[Revision], page: NumberedPage, limit: int, position: Position | None) -> Revisions:
    """Of a page with all of its revisions; one that is full may have another behind it."""
    shown = tuple(items[page.skipped :])
    if len(items) < limit:
        return Revisions(shown)
    head = items[0].identifier if position is None else position.head
    return Revisions(shown, Position(head, page.number * limit))
