"""One line as a terminal shows it: text that is written over other text takes its place.

The line has no right margin. As long as text is only added to it, it is kept as it came; after the first return or
movement, as cells. These are bounded, so that no sequence costs much; what is written behind them is added, and
nothing is written over it.
"""

from __future__ import annotations

import re
import sys
from array import array
from itertools import groupby
from typing import TypeAlias
from unicodedata import category, east_asian_width

from job_orchestra.domain.text_styles import PLAIN, Style

Part: TypeAlias = tuple[str, Style]

MOST_CELLS = 4096
"""Columns in which text takes the place of other text."""
MOST_MARKS = 16
"""In one cell: accents and the like, which have no cell of their own."""
_FARTHEST = 1000
"""Columns to which the cursor moves behind the end of the text."""
_TAB = 8
_PARAMETER = re.compile(rb"[0-9]{0,5}")
_ENCODING = f"utf-32-{sys.byteorder[0]}e"
_BLANK = ord(" ")
_UNSEEN = 0x110000
"""The second cell of a wide character."""
_MARKED = 0x110001
"""And greater ones: of characters with marks."""


class TerminalLine:
    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self.parts: list[Part] = []
        """What was added; once there are cells, behind these."""
        self.is_overwritten = False
        """Whether there are cells."""
        # Numbers, so that to move and to erase many of them costs next to nothing.
        self._cells = array("I")
        self._styles = array("H")
        self._known_styles = {PLAIN: 0}
        self._marked: list[str] = []
        self._added = 0
        """Columns behind the cells."""
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
        if self.is_overwritten:
            text = self._overwrite(text, style)
            if not text:
                return
            self._fill(MOST_CELLS)
            self._added += len(text)
            self._column += len(text)
        self.parts.append((text, style))

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
        shown, position, styles = list[Part](), 0, list(self._known_styles)
        for number, run in groupby(self._styles):
            length = sum(1 for _ in run)
            shown.append((self._text(position, position + length), styles[number]))
            position += length
        return shown + self.parts

    def _text(self, start: int, end: int) -> str:
        cells = self._cells[start:end]
        if max(cells) < _UNSEEN:
            return cells.tobytes().decode(_ENCODING)
        return "".join(map(self._character, cells))

    def _character(self, cell: int) -> str:
        if cell < _UNSEEN:
            return chr(cell)
        return "" if cell == _UNSEEN else self._marked[cell - _MARKED]

    def _place(self) -> int:
        self._apply_return()
        self._become_cells()
        return self._column

    def _move_to(self, column: int) -> None:
        self._column = max(0, min(column, max(len(self._cells) + self._added, _FARTHEST)))

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
        if what == 0 and column < MOST_CELLS:
            self._cut(column)
        elif what == 1:
            self._blank(0, column + 1)
        elif what == 2:
            self._cut(0)

    def _cut(self, column: int) -> None:
        del self._cells[column:], self._styles[column:]
        self.parts.clear()
        self._added = 0

    def _remove(self, number: int, is_closed: bool) -> None:
        column = self._place()
        if is_closed:
            del self._cells[column : column + number], self._styles[column : column + number]
        else:
            self._blank(column, column + number)

    def _blank(self, start: int, end: int) -> None:
        end = min(end, len(self._cells))
        if start < end:
            self._cells[start:end] = array("I", [_BLANK]) * (end - start)
            self._styles[start:end] = array("H", [0]) * (end - start)

    def _overwrite(self, text: str, style: Style) -> str:
        """Answers what there is no cell for."""
        if text.isascii() and "\t" not in text:
            room = max(0, MOST_CELLS - self._column)
            self._put(array("I", text[:room].encode(_ENCODING)), style)
            return text[room:]
        for position, character in enumerate(text):
            if self._column >= MOST_CELLS:
                return text[position:]
            self._put_one(character, style)
        return ""

    def _put(self, cells: array[int], style: Style) -> None:
        self._fill(self._column)
        end = self._column + len(cells)
        self._cells[self._column : end] = cells
        number = self._known_styles.setdefault(style, len(self._known_styles))
        self._styles[self._column : end] = array("H", [number]) * len(cells)
        self._column = end

    def _put_one(self, character: str, style: Style) -> None:
        if character == "\t":
            self._column += _TAB - self._column % _TAB
            self._fill(self._column)
        elif category(character) in {"Mn", "Me", "Cf"}:
            if 0 < self._column <= len(self._cells):
                self._mark(self._column - 1, character)
        elif east_asian_width(character) in "WF":
            self._put(array("I", [ord(character), _UNSEEN]), style)
        else:
            self._put(array("I", [ord(character)]), style)

    def _mark(self, column: int, mark: str) -> None:
        text = self._character(self._cells[column])
        if len(text) > MOST_MARKS:
            return
        if len(self._marked) >= 2 * MOST_CELLS:
            self._forget_marked()
        self._cells[column] = _MARKED + len(self._marked)
        self._marked.append(text + mark)

    def _forget_marked(self) -> None:
        """Those whose cells are others by now."""
        marked = list[str]()
        for column, cell in enumerate(self._cells):
            if cell >= _MARKED:
                self._cells[column] = _MARKED + len(marked)
                marked.append(self._marked[cell - _MARKED])
        self._marked = marked

    def _fill(self, column: int) -> None:
        missing = min(column, MOST_CELLS) - len(self._cells)
        if missing > 0:
            self._cells.extend(array("I", [_BLANK]) * missing)
            self._styles.extend(array("H", [0]) * missing)
