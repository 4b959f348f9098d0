"""One line as a terminal shows it: text that is written over other text takes its place.

The line has no right margin. As long as text is only added to it, it is kept as it came; after the first return or
movement, as cells.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TypeAlias
from unicodedata import category, east_asian_width

from job_orchestra.domain.text_styles import PLAIN, Style

Part: TypeAlias = tuple[str, Style]

_FARTHEST = 1000
"""Columns to which the cursor moves behind the end of the text."""
_TAB = 8
_PARAMETER = re.compile(rb"[0-9]{0,5}")


class TerminalLine:
    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self.parts: list[Part] = []
        """What was added; once there are cells it tells nothing."""
        self.is_overwritten = False
        """Whether there are cells."""
        self._cells: list[str] = []
        self._styles: list[Style] = []
        self._column = 0
        self._is_at_start = False
        """After a return, whose effect waits: before a newline it has none."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written, nor the cursor moved."""
        return not self.parts and not self.is_overwritten

    def clear(self) -> None:
        """For the next line."""
        self._reset()

    def write(self, text: str, style: Style) -> None:
        self._apply_return()
        if not self.is_overwritten:
            self.parts.append((text, style))
        elif text.isascii() and "\t" not in text:
            self._put(text, style)
        else:
            for character in text:
                self._put_one(character, style)

    def carriage_return(self) -> None:
        self._is_at_start = not self.is_empty

    def backspace(self) -> None:
        self._move_to(self._place() - 1)

    def sequence(self, content: bytes) -> None:
        """A control sequence; those that lead to other lines mean nothing."""
        final = content[-1:]
        if final not in {b"K", b"C", b"D", b"G", b"P", b"X"} or not _PARAMETER.fullmatch(content[:-1]):
            return
        if self.is_empty and final != b"C" and final != b"G":
            return
        number = int(content[:-1] or b"0")
        if final == b"K":
            self._erase(number)
        elif final == b"C":
            self._move_to(self._place() + max(number, 1))
        elif final == b"D":
            self._move_to(self._place() - max(number, 1))
        elif final == b"G":
            self._place()
            self._move_to(max(number, 1) - 1)
        else:
            self._remove(max(number, 1), is_closed=final == b"P")

    def shown(self) -> list[Part]:
        """What is seen of it, from left to right."""
        if not self.is_overwritten:
            return self.parts
        shown, position = list[Part](), 0
        for style, run in groupby(self._styles):
            length = sum(1 for _ in run)
            shown.append(("".join(self._cells[position : position + length]), style))
            position += length
        return shown

    def _place(self) -> int:
        self._apply_return()
        self._become_cells()
        return self._column

    def _move_to(self, column: int) -> None:
        self._column = max(0, min(column, max(len(self._cells), _FARTHEST)))

    def _apply_return(self) -> None:
        if self._is_at_start:
            self._is_at_start = False
            self._become_cells()
            self._column = 0

    def _become_cells(self) -> None:
        if not self.is_overwritten:
            self.is_overwritten = True
            parts, self.parts = self.parts, []
            for text, style in parts:
                self.write(text, style)

    def _erase(self, what: int) -> None:
        if what == 0 and not self.is_overwritten and not self._is_at_start:
            return  # behind the end there is nothing
        column = self._place()
        if what == 0:
            del self._cells[column:], self._styles[column:]
        elif what == 1:
            self._blank(0, column + 1)
        elif what == 2:
            self._cells.clear()
            self._styles.clear()

    def _remove(self, number: int, is_closed: bool) -> None:
        column = self._place()
        if is_closed:
            del self._cells[column : column + number], self._styles[column : column + number]
        else:
            self._blank(column, column + number)

    def _blank(self, start: int, end: int) -> None:
        end = min(end, len(self._cells))
        if start < end:
            self._cells[start:end] = " " * (end - start)
            self._styles[start:end] = [PLAIN] * (end - start)

    def _put(self, text: str, style: Style) -> None:
        self._fill(self._column)
        end = self._column + len(text)
        self._cells[self._column : end] = text
        self._styles[self._column : end] = [style] * len(text)
        self._column = end

    def _put_one(self, character: str, style: Style) -> None:
        if character == "\t":
            self._column += _TAB - self._column % _TAB
            self._fill(self._column)
        elif category(character) in {"Mn", "Me", "Cf"}:
            if 0 < self._column <= len(self._cells):
                self._cells[self._column - 1] += character
        else:
            self._put(character, style)
            if east_asian_width(character) in "WF":
                self._put(" ", style)
                self._cells[self._column - 1] = ""

    def _fill(self, column: int) -> None:
        missing = column - len(self._cells)
        if missing > 0:
            self._cells += " " * missing
            self._styles += [PLAIN] * missing
