"""What a repository is asked for: its branches, and the revisions of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_LONGEST_TEXT = 300
_POSITION = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64}):(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Branch:
    name: str
    revision: str
    """Which it is at."""
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Branches:
    items: tuple[Branch, ...]
    is_complete: bool = True
    """False: there are more, and nobody looked at them."""

    @property
    def default(self) -> Branch | None:
        return next((branch for branch in self.items if branch.is_default), None)


@dataclass(frozen=True, slots=True)
class Revision:
    identifier: str
    """The whole hash of the commit."""
    date: datetime
    author: str
    title: str
    """The first line of its message."""
    url: str | None = None
    """Where people look at it."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the history of the revision `head`, which stays the same when the branch moves on."""

    head: str
    offset: int

    def __str__(self) -> str:
        return f"{self.head}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Revisions:
    """A part of a branch's history, newest first."""

    items: tuple[Revision, ...]
    next: Position | None = None
    """Where older ones begin; None: there are none."""


def read_position(text: str) -> Position:
    """ValueError for what is no `next` of an answer."""
    match = _POSITION.fullmatch(text)
    if match is None:
        raise ValueError("is no cursor that a list of revisions gave")
    return Position(match[1], int(match[2]))


def plain_line(text: str) -> str:
    """Fit to be stored and shown in a table: one line, of bounded length."""
    whole = text.encode(errors="replace").decode(errors="replace")
    line = " ".join(whole[: 4 * _LONGEST_TEXT].replace("\0", " ").split())
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"
