"""Places in a log: which line is there, and in which style text goes on. Computed by folding the bytes before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.terminal_sequences import open_length, style_after
from job_orchestra.domain.text_styles import PLAIN, Style


@dataclass(frozen=True, slots=True)
class LogPlace:
    offset: int
    newlines: int
    """Before it."""
    style: Style = PLAIN
    date: datetime | None = None
    """When about the bytes there were stored, if that is known."""

    @property
    def line(self) -> int:
        """The number of the line that the byte at `offset` belongs to; the first one has 1."""
        return self.newlines + 1


BEGINNING = LogPlace(0, 0)


class LogFold:
    """From one place on: feed it the bytes in order, however they are cut."""

    __slots__ = ("_newlines", "_open", "_style", "offset")

    def __init__(self, start: LogPlace) -> None:
        self.offset = start.offset
        """Up to which bytes were fed."""
        self._newlines = start.newlines
        self._style = start.style
        self._open = b""
        """The beginning of a sequence at the end; there is no newline in it."""

    @property
    def place(self) -> LogPlace:
        """At the end of what was fed, or shortly before, where a sequence begins that is not complete."""
        return LogPlace(self.offset - len(self._open), self._newlines, self._style)

    def feed(self, data: bytes) -> None:
        self.offset += len(data)
        self._newlines += data.count(b"\n")
        if self._open:
            data = self._open + data
        elif b"\x1b" not in data:
            return
        self._style = style_after(self._style, data)
        length = open_length(data)
        self._open = data[-length:] if length else b""
