"""Texts of users, runs and services on a terminal: no control character reaches it, no cell breaks a table."""

from __future__ import annotations

import unicodedata

_REPLACEMENT = "�"
_ELLIPSIS = "…"


def one_line(text: str) -> str:
    """White space, newlines included, as spaces; any other control character replaced."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def shortened(text: str, width: int) -> str:
    """At most `width` columns of the terminal, the last one an ellipsis where something is left out."""
    if width_of(text) <= width:
        return text
    shown, left = "", width - 1
    for character in text:
        left -= _columns(character)
        if left < 0:
            break
        shown += character
    return shown + _ELLIPSIS


def padded(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))


def width_of(text: str) -> int:
    """Columns of the terminal."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() else _REPLACEMENT
