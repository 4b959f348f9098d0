"""Branches and positions in a history, for hosts that count in pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.revisions import Branch, Branches, Position, Revision, Revisions
from job_orchestra.integrations.revision_control import MOST_BRANCHES


@dataclass(frozen=True, slots=True)
class NumberedPage:
    start: str
    """A branch, or the revision at which an earlier page has begun."""
    number: int
    """From 1 on."""
    size: int
    skipped: int
    """Revisions at its beginning that came before: where pages had another length then."""
    missing: NotFound
    """What it means that the host knows no such start."""


Pages: TypeAlias = Callable[[NumberedPage], Awaitable[tuple[Sequence[Revision], bool]]]
"""The revisions of a page, and whether its host says that there is a next one."""

BranchPages: TypeAlias = Callable[[int], Awaitable[tuple[Sequence[Branch], bool]]]
"""The branches of a page, counted from 1 on, and whether there is a next one."""


async def all_branches(pages: BranchPages, at_once: int) -> Branches:
    """As many as are shown at most."""
    items: list[Branch] = []
    for number in range(1, MOST_BRANCHES // at_once + 1):
        page, has_more = await pages(number)
        items += page
        if not has_more:
            return Branches(tuple(items))
    return Branches(tuple(items), is_complete=False)


async def history(pages: Pages, branch: str, limit: int, position: Position | None) -> Revisions:
    """At most `limit` revisions, fewer where the host gives fewer at once."""
    page = _page_at(branch, limit, position)
    items, has_more = await pages(page)
    if has_more and 0 < len(items) < page.size:
        given = len(items)
        asked, page = page, _page_at(branch, given, position)
        if page.number != asked.number:
            items, has_more = await pages(page)
    shown = tuple(items[page.skipped :])
    # One that is full may have another behind it, whatever becomes of headers on their way.
    if not items or (len(items) < page.size and not has_more):
        return Revisions(shown)
    head = items[0].identifier if position is None else position.head
    return Revisions(shown, Position(head, page.number * page.size))


def _page_at(branch: str, size: int, position: Position | None) -> NumberedPage:
    if position is None:
        return NumberedPage(branch, 1, size, 0, NotFound("branch", branch))
    number, skipped = position.offset // size + 1, position.offset % size
    return NumberedPage(position.head, number, size, skipped, NotFound("revision", position.head))
