"""Which texts can be stored in every database and handed to programs."""

from __future__ import annotations


def flaw_of_text(text: str) -> str:
    """What keeps a text from being stored and passed to programs; empty if nothing does."""
    if "\0" in text:
        return "contains a NUL character"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "contains half a surrogate pair, which is no character"
    return ""
