"""What a repository is asked for: its branches, and the revisions of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_LONGEST_TEXT = 300
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)
"""So that it can be told in every time zone."""
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


def moment_of(text: str) -> datetime:
    """What a repository says of a date, in seconds since 1970 or by ISO 8601: whoever commits writes what he likes.

    In UTC, and within the years that can be told; 1970 for what is no date.
    """
    try:
        seconds = int(text)
    except ValueError:
        try:
            return bounded_moment(datetime.fromisoformat(text))
        except ValueError:
            return _EARLIEST
    return datetime.fromtimestamp(min(max(seconds, 0), int(_LATEST.timestamp())), UTC)


def bounded_moment(date: datetime) -> datetime:
    """In UTC, and within the years that can be told; a date without a time zone is taken to be UTC."""
    aware = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return min(max(aware, _EARLIEST), _LATEST).astimezone(UTC)


def plain_line(text: str) -> str:
    """Fit to be stored and shown in a table: one line, of bounded length."""
    whole = text.encode(errors="replace").decode(errors="replace")
    line = " ".join(whole[: 4 * _LONGEST_TEXT].replace("\0", " ").split())
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"
