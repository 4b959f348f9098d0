"""Bytes of a log to HTML, piece by piece: lines as a terminal shows them, with colours as classes.

Whatever the bytes are, the answer is text and elements of ours: no sequence, however it is split or broken, reaches the
browser or hides more than a few kilobytes. What is kept is the present line, and the beginning of a sequence.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from job_orchestra.domain.terminal_sequences import Token, TokenKind, harmless, open_length, tokens
from job_orchestra.domain.text_styles import PLAIN, Style, apply_sgr
from job_orchestra.website.terminal_line import Part, TerminalLine

_UNSEEN = frozenset({b"\x07", b"\x0e", b"\x0f", b"\x7f"})
_SPECIAL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_MOVING = re.compile(rb"\x08|\r(?!\n)|\x1b(?!\[[0-9:;]{0,64}m)")
_FEW = 4096
"""Bytes that never take long."""
_FLAGS = {"is_bold": "bo", "is_dim": "di", "is_italic": "it", "is_underlined": "un", "is_struck": "st"}


class AnsiRenderer:
    """Feed it the bytes in order, however they are cut. A line is shown when it is complete, or at the end."""

    def __init__(self, style: Style = PLAIN) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._style = style
        self._open = b""
        self.line = TerminalLine()
        self._output: list[str] = []

    def feed(self, data: bytes, is_last: bool = False) -> str:
        """HTML of what can be shown by now; an incomplete character or sequence waits for the next call."""
        data = self._open + data
        length = open_length(data)
        self._open, data = data[len(data) - length :], data[: len(data) - length]
        if self._is_plain(data):
            lines, _, data = data.rpartition(b"\n")
            self.plain_lines(escaped(harmless(lines.decode("utf-8", "replace"))).split("\n"))
        for token in tokens(data):
            self._take(token)
        if is_last:
            self._flush()
        self.paused(is_last)
        html = "".join(self._output)
        self._output.clear()
        return html

    def is_quick(self, data: bytes) -> bool:
        """Whether to feed it costs little for each byte: nothing is written over anything."""
        return len(data) <= _FEW or not (self.line.is_overwritten or _MOVING.search(data))

    @property
    def is_between_lines(self) -> bool:
        return self.line.is_empty

    def plain_lines(self, lines: Sequence[str]) -> None:
        """Complete ones, in HTML; the quick way for what most logs are made of."""
        self.emit("\n".join(lines) + "\n")

    def _is_plain(self, data: bytes) -> bool:
        """Whether lines begin here that are nothing but text."""
        return (
            self.is_between_lines
            and self._style == PLAIN
            and b"\n" in data
            and not self._decoder.getstate()[0]
            and not _SPECIAL.search(data)
        )

    def emit(self, html: str) -> None:
        self._output.append(html)

    def end_line(self) -> None:
        """A newline came."""
        self.emit(f"{parts_html(self.line.shown())}\n")
        self.line.clear()

    def paused(self, is_last: bool) -> None:
        """All that there is by now has been taken in."""
        if is_last and not self.line.is_empty:
            self.emit(parts_html(self.line.shown()))
            self.line.clear()

    def _take(self, token: Token) -> None:
        if token.kind is TokenKind.TEXT:
            self._write(self._decoder.decode(token.content))
            return
        self._flush()
        if token.kind is TokenKind.SEQUENCE:
            if token.content.endswith(b"m"):
                self._style = apply_sgr(self._style, token.content[:-1].decode("ascii"))
            else:
                self.line.sequence(token.content)
        elif token.content == b"\n":
            self.end_line()
        elif token.content == b"\r":
            self.line.carriage_return()
        elif token.content == b"\b":
            self.line.backspace()
        elif token.content not in _UNSEEN:
            self.line.write(chr(0x2400 + token.content[0]), self._style)

    def _flush(self) -> None:
        """A character that is not complete never will be."""
        self._write(self._decoder.decode(b"", True))

    def _write(self, text: str) -> None:
        text = harmless(text)
        if text:
            self.line.write(text, self._style)


class LineRenderer(AnsiRenderer):
    """Numbers the lines, each with an address, and tells when some of them were stored.

    Of a log that grows it also shows a line that is not complete. Where that is overwritten later, its new state
    follows as an element that hides those before it, by the style sheet alone.
    """

    def __init__(
        self,
        address: str,
        line: int | None,
        style: Style = PLAIN,
        times: Mapping[int, str] | None = None,
        is_live: bool = False,
    ) -> None:
        """`address` of a line, but for its number; `times` are those of lines, in HTML.

        Without `line` nobody knows the numbers.
        """
        super().__init__(style)
        self._address = address.replace("&", "&amp;")
        self._times = dict(times or {})
        self._is_live = is_live
        self._is_numbered = line is not None
        self._number = line or 1
        self._is_begun = False
        """Whether something of the present line was shown."""
        self._shown: int | None = 0
        """How many of its parts were; None once that does not tell, for it was overwritten."""
        self._last_state: Sequence[Part] = ()
        self.replaced = 0
        """How often a line was shown anew."""

    def tell_time(self, html: str) -> None:
        """Of the next line that begins."""
        self._times[self._number + (not self.line.is_empty or self._is_begun)] = html

    @property
    def is_between_lines(self) -> bool:
        return self.line.is_empty and not self._is_begun

    def plain_lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.emit(f"{self._beginning()}{line}\n")
            self._number += 1

    def end_line(self) -> None:
        if self._is_begun:
            self._go_on()
            self.emit("</span>\n")
        else:
            self.emit(f"{self._beginning()}{parts_html(self.line.shown())}\n")
        self.line.clear()
        self._number += 1
        self._is_begun, self._shown, self._last_state = False, 0, ()

    def paused(self, is_last: bool) -> None:
        if self._is_begun or not self.line.is_empty:
            if is_last:
                self.end_line()
            elif self._is_live:
                if not self._is_begun:
                    self.emit(f'{self._beginning()}<span class="p">')
                    self._is_begun = True
                self._go_on()

    def _go_on(self) -> None:
        """What is new of the line, in its element."""
        parts = self.line.shown()
        if self.line.is_overwritten:
            if list(parts) != list(self._last_state) or self._shown is not None:
                self.emit(f'<span class="n">{parts_html(parts)}</span>')
                self.replaced += 1
            self._last_state, self._shown = list(parts), None
        elif self._shown is not None and self._shown < len(parts):
            self.emit(f"<span>{parts_html(parts[self._shown :])}</span>")
            self._shown = len(parts)

    def _beginning(self) -> str:
        number = self._number
        time = self._times.pop(number, "")
        if not self._is_numbered:
            return time
        return f'<a id="L{number}" href="{self._address}{number}#L{number}" tabindex="-1">{number}</a>{time}'


def parts_html(parts: Sequence[Part]) -> str:
    return "".join(_part_html(text, style) for text, style in parts)


def _part_html(text: str, style: Style) -> str:
    names = classes(style)
    return f'<span class="{names}">{escaped(text)}</span>' if names else escaped(text)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@lru_cache(maxsize=1024)
def classes(style: Style) -> str:
    """The value of a class attribute; empty for plain text. `fd` and `gd` are the page's own colours, exchanged."""
    if style == PLAIN:
        return ""
    foreground = "" if style.foreground is None else f"f{style.foreground}"
    # A black ground is what most terminals have; below coloured text it means no more than the page's own.
    is_plain = style.background is None or (style.background == 0 and style.foreground is not None)
    background = "" if is_plain else f"g{style.background}"
    if style.is_inverse:
        foreground = "fd" if style.background is None else f"f{style.background}"
        background = "gd" if style.foreground is None else f"g{style.foreground}"
    names = [name for flag, name in _FLAGS.items() if getattr(style, flag)]
    return " ".join(name for name in (foreground, background, *names) if name)
