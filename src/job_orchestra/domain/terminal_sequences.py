"""Escape sequences among the bytes of a log: the tokens that a terminal would see, and what is not complete yet.

No sequence contains another one or a newline, and each is bounded: what goes on for longer is text, so that nothing
stays hidden. Whoever begins anywhere else than within a sequence sees the same tokens as everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from job_orchestra.domain.text_styles import Style, apply_sgr

LONGEST_OPEN = 4100
"""Bytes of a sequence that is not complete: those of a string (a title, a link), and what encloses them."""

_TOKENS = re.compile(
    rb"([^\x00-\x08\n-\x1f\x7f]+)"
    rb"|([\x00-\x08\n-\x1a\x1c-\x1f\x7f])"
    rb"|\x1b\[([\x20-\x3f]{0,256}+)(?:([\x40-\x7e])|(?![\x20-\x7e]))"
    rb"|\x1b[\]PX^_][^\x07\n\x1b]{0,4096}+(?:\x07|\x1b\\|(?=[\n\x1b])|\Z)"
    rb"|\x1b[()*+\-./%#][\x20-\x7e]?"
    rb"|\x1b[\x30-\x7e]?"
)
_OPEN = re.compile(rb"\x1b(?:\[[\x20-\x3f]{0,256}|[\]PX^_][^\x07\n\x1b]{0,4096}\x1b?|[()*+\-./%#])?\Z")
_SGR = re.compile(rb"\x1b\[([\x20-\x3f]{0,256}+)m")
_STRAY = re.compile("[\x80-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that control a terminal, too (C1), and those that reorder or hide text around them."""


class TokenKind(Enum):
    TEXT = auto()
    CONTROL = auto()
    """One byte: newline, return, backspace and the like."""
    SEQUENCE = auto()
    """A control sequence: its parameters, and behind them the letter that says what it does."""


class Token(NamedTuple):
    kind: TokenKind
    content: bytes


def tokens(data: bytes) -> Iterator[Token]:
    """Of complete sequences; those that mean nothing to a log are left out."""
    for found in _TOKENS.finditer(data):
        group = found.lastindex
        if group == 1:
            yield Token(TokenKind.TEXT, found[1])
        elif group == 2:
            yield Token(TokenKind.CONTROL, found[2])
        elif group == 4:
            yield Token(TokenKind.SEQUENCE, found[3] + found[4])


def open_length(data: bytes) -> int:
    """How many bytes at the end are the beginning of a sequence that may go on; at most LONGEST_OPEN."""
    first = max(0, len(data) - LONGEST_OPEN)
    last = data.rfind(b"\x1b", first)
    if last < 0:
        return 0
    if last == len(data) - 1:
        # It may be the end of a string that began before.
        before = data.rfind(b"\x1b", first, last)
        if before >= 0 and _OPEN.match(data, before):
            return len(data) - before
    return len(data) - last if _OPEN.match(data, last) else 0


def style_after(style: Style, data: bytes) -> Style:
    """That of what follows these complete sequences; the same as that after their tokens, at less cost."""
    # Whatever was before the last reset does not matter.
    start = max(data.rfind(b"\x1b[0m"), data.rfind(b"\x1b[m"), 0)
    for found in _SGR.finditer(data, start):
        style = apply_sgr(style, found[1].decode("ascii"))
    return style


def harmless(text: str) -> str:
    """Without characters that control terminals, and with a mark in place of those that make text deceive."""
    return _STRAY.sub(_mark, text) if not text.isascii() else text


def _mark(found: re.Match[str]) -> str:
    return "\ufffd" if "\x9f" < found[0] != "\ufeff" else ""


def plain_text(data: bytes) -> str:
    """What is legible of it, in one line."""
    parts = [token.content if token.kind is TokenKind.TEXT else b" " for token in tokens(data) if _is_seen(token)]
    return harmless(b"".join(parts).decode("utf-8", "replace"))


def _is_seen(token: Token) -> bool:
    return token.kind is TokenKind.TEXT or token.content in {b"\n", b"\r"}
