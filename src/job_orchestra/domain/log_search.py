"""Finding text among the bytes of a log that come piece by piece."""

from __future__ import annotations

import re
from dataclasses import dataclass

from job_orchestra.domain.terminal_sequences import plain_text

BEFORE = 160
"""Bytes of a line that are shown before what was found, and behind it."""
AFTER = 240


@dataclass(frozen=True, slots=True)
class Hit:
    offset: int
    line: int | None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What was found, with what surrounds it in its line; legible."""

    before: str
    text: str
    after: str


class LogSearch:
    """One hit for a line; in a very long one another where the excerpt of the last one ends. The cost is linear."""

    def __init__(self, sought: bytes, *, ignores_case: bool, offset: int, newlines: int | None) -> None:
        """`newlines` before the offset, if they are known."""
        self._ignores_case = ignores_case
        self._sought = sought.lower() if ignores_case else sought
        self._kept = b""
        """The end of what was fed, in which what is sought may begin."""
        self._start = offset
        """Of what is kept."""
        self._newlines = newlines
        self._last: Hit | None = None

    @property
    def end(self) -> int:
        """Where another search goes on, which then finds what this one does not."""
        return self._start

    def feed(self, data: bytes, most: int) -> list[Hit]:
        """At most so many; if they are as many, the search is over."""
        text = self._kept + data
        compared = text.lower() if self._ignores_case else text
        hits: list[Hit] = []
        counted = position = 0
        while (found := compared.find(self._sought, position)) >= 0:
            self._count(text, counted, found)
            counted = found
            newline = text.find(b"\n", found, found + AFTER)
            position = newline + 1 if newline >= 0 else min(found + AFTER, len(text))
            hit = Hit(self._start + found, None if self._newlines is None else self._newlines + 1)
            if not self._is_shown(hit):
                continue
            self._last = hit
            hits.append(hit)
            if len(hits) >= most:
                self._keep(text, counted, min(position, len(text)))
                return hits
        self._keep(text, counted, max(position, len(text) - len(self._sought) + 1, 0))
        return hits

    def _is_shown(self, hit: Hit) -> bool:
        """Whether the excerpt of the last hit does not have it: the last piece may have ended within that."""
        last = self._last
        return last is None or hit.line is None or hit.line != last.line or hit.offset >= last.offset + AFTER

    def _keep(self, text: bytes, counted: int, start: int) -> None:
        self._count(text, counted, start)
        self._kept = text[start:]
        self._start += start

    def _count(self, text: bytes, start: int, end: int) -> None:
        if self._newlines is not None:
            self._newlines += text.count(b"\n", start, end)


def excerpt_of(data: bytes, position: int, length: int) -> Excerpt:
    """`data` is what was found at `position`, with some bytes before and behind."""
    before, text, after = data[:position], data[position : position + length], data[position + length :]
    begin = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    end = re.search(rb"[\r\n]", after)
    return Excerpt(
        plain_text(_from_character(before[begin:])),
        plain_text(text),
        plain_text(after[: end.start()] if end else after),
    )


def _from_character(data: bytes) -> bytes:
    """Without the rest of a character of UTF-8 that was cut."""
    for position in range(min(4, len(data))):
        if data[position] & 0xC0 != 0x80:
            return data[position:]
    return data
