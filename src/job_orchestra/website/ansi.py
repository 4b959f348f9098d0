"""Bytes of a log to HTML, piece by piece: colours become classes, every other escape sequence disappears.

Whatever the bytes are, the answer is text and balanced `<span class>` elements: no sequence, however it is split or
broken, reaches the browser, hides more than a few kilobytes, or makes the parser keep more than that.
"""

from __future__ import annotations

import codecs
import re
from enum import Enum, auto

from job_orchestra.website.ansi_style import PLAIN, Style, apply_sgr, classes

_ESCAPE = "\x1b"
_BELL = "\x07"
_SPECIAL = re.compile(
    # C0 but tab and newline, delete, C1; then characters that reorder or hide text around them.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_CSI = re.compile("[\x20-\x3f]{0,256}")
_STRING_END = re.compile("[\x07\x0a\x1b\x9c]")
_LONGEST_STRING = 4096
"""Of an operating system command (a title, a link). What goes on longer is text, so that nothing stays hidden."""


class _State(Enum):
    TEXT = auto()
    ESCAPE = auto()
    CHARSET = auto()
    """After `ESC (` and the like: one more character belongs to the sequence."""
    CSI = auto()
    STRING = auto()
    STRING_ESCAPE = auto()


class AnsiRenderer:
    """Feed it the bytes in order, however they are cut; each answer is complete HTML by itself."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = _State.TEXT
        self._style: Style = PLAIN
        self._parameters = ""
        self._string_length = 0
        self._is_after_return = False
        self._output: list[str] = []

    def feed(self, data: bytes, is_last: bool = False) -> str:
        """HTML of what can be shown by now; an incomplete character or sequence waits for the next call."""
        text = self._decoder.decode(data, is_last)
        position = 0
        while position < len(text):
            position = self._step(text, position)
        html = "".join(self._output)
        self._output.clear()
        return html

    def _step(self, text: str, position: int) -> int:
        """Where to go on after one piece of text, one character, or one part of a sequence."""
        if self._state is _State.TEXT:
            return self._text(text, position)
        if self._state is _State.CSI:
            return self._csi(text, position)
        if self._state is _State.STRING:
            return self._string(text, position)
        if self._state is _State.STRING_ESCAPE:
            # `ESC \` ends the string; another escape sequence ends it too, and begins.
            is_terminator = text[position] == "\\"
            self._state = _State.TEXT if is_terminator else _State.ESCAPE
            return position + is_terminator
        if self._state is _State.CHARSET:
            self._state = _State.TEXT
            return position + (text[position] >= " ")
        return self._escape(text, position)

    def _text(self, text: str, position: int) -> int:
        if self._is_after_return:
            # A return that no newline follows begins a line of its own (progress bars stay readable).
            self._is_after_return = False
            if text[position] != "\n":
                self._emit("\n")
        found = _SPECIAL.search(text, position)
        end = found.start() if found else len(text)
        if end > position:
            self._emit(text[position:end])
        if found is None:
            return end
        self._special(text[end])
        return end + 1

    def _special(self, character: str) -> None:
        if character == _ESCAPE:
            self._state = _State.ESCAPE
        elif character == "\r":
            self._is_after_return = True
        elif character < " ":
            if character not in {_BELL, "\x0e", "\x0f"}:
                self._emit(chr(0x2400 + ord(character)))
        elif character > "\x9f" and character != "\ufeff":
            self._emit("\ufffd")

    def _escape(self, text: str, position: int) -> int:
        character = text[position]
        self._state = _State.TEXT
        if character == "[":
            self._state = _State.CSI
            self._parameters = ""
        elif character in "]PX^_":
            self._state = _State.STRING
            self._string_length = 0
        elif character in "()*+-./%#":
            self._state = _State.CHARSET
        elif not "\x30" <= character <= "\x7e":
            return position  # no escape sequence: the character stands for itself
        return position + 1

    def _csi(self, text: str, position: int) -> int:
        found = _CSI.match(text, position)
        end = found.end() if found else position
        self._parameters += text[position:end]
        if end == len(text) and len(self._parameters) <= 256:
            return end
        self._state = _State.TEXT
        if end < len(text) and "\x40" <= text[end] <= "\x7e":
            if text[end] == "m":
                self._style = apply_sgr(self._style, self._parameters)
            return end + 1
        return end

    def _string(self, text: str, position: int) -> int:
        allowed = position + _LONGEST_STRING - self._string_length
        found = _STRING_END.search(text, position, max(allowed, position))
        end = found.start() if found else min(len(text), allowed)
        self._string_length += end - position
        if found is None:
            if self._string_length >= _LONGEST_STRING:
                self._state = _State.TEXT
            return end
        self._state = _State.STRING_ESCAPE if text[end] == _ESCAPE else _State.TEXT
        # A newline never belongs to such a string: it was left open, and the line ends here.
        return end if text[end] == "\n" else end + 1

    def _emit(self, text: str) -> None:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        names = classes(self._style)
        self._output.append(f'<span class="{names}">{escaped}</span>' if names else escaped)
