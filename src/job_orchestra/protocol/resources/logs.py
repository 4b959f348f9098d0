"""Places and lines of a log."""

from __future__ import annotations

from job_orchestra.protocol.resources.answers import Answer


class LogAnswer(Answer, frozen=True):
    size: int
    sha256: str | None
    """Once the run has ended and both sides have compared it."""


class LogPlaceAnswer(Answer, frozen=True):
    offset: int
    """Never within an escape sequence."""
    line: int
    style: str
    """In which text goes on there, as parameters of an SGR sequence; empty: plain."""
    date: str | None
    """When about it was stored, if that is known."""


class LogPlacesAnswer(Answer, frozen=True):
    size: int
    """Of the log."""
    places: list[LogPlaceAnswer]
    """First the one that was asked for: the last one up to the offset; or where the line begins, or the last one.

    Then those recorded behind it, in order, at most 2,000. None as long as the lines of a large log are being counted.
    """


class LogHitAnswer(Answer, frozen=True):
    offset: int
    line: int | None
    """None as long as the lines of a large log are being counted."""
    before: str
    """What surrounds it in its line, without escape sequences."""
    text: str
    after: str


class LogSearchAnswer(Answer, frozen=True):
    hits: list[LogHitAnswer]
    """One of each line; of a very long line more, some distance apart."""
    next: int | None
    """Where to go on; None if all of the log as it is now was searched."""
