"""The characters of an expression, taken from left to right; what is wrong is told with its place."""

from __future__ import annotations

import re

from job_orchestra.domain.checking import shown
from job_orchestra.domain.texts import flaw_of_text

_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[^\W\d]\w*")
_FOUND = re.compile(r"[\w$.-]+|[=!<>~]+|.", re.DOTALL)
"""What a mistake shows of what stands in its place."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![\w.])")
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]*'), "'": re.compile(r"[^'\\\x00-\x1f]*")}
_ESCAPE = re.compile(r"\\(?:([\"'\\/bfnrt])|u([0-9a-fA-F]{4}))")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_INFINITE = (float("inf"), float("-inf"))


class ExpressionMistake(ValueError):
    """The first thing that is wrong with an expression; str() is a sentence with the place."""

    def __init__(self, position: int, length: int, message: str) -> None:
        super().__init__(f"character {position + 1}: {message}")
        self.position = position
        """Characters before it."""
        self.length = length
        """Of what stands there; 0 at the end."""


class Scanner:
    """What takes something skips white space first; without such a thing it answers with None and stays where it is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.position = 0

    def skip_space(self) -> None:
        space = _SPACE.match(self._text, self.position)
        assert space is not None
        self.position = space.end()

    @property
    def is_at_end(self) -> bool:
        self.skip_space()
        return self.position == len(self._text)

    def take(self, pattern: re.Pattern[str], *, after_space: bool = True) -> str | None:
        if after_space:
            self.skip_space()
        found = pattern.match(self._text, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found[0]

    def word(self) -> str | None:
        return self.take(_WORD)

    def take_word(self, word: str) -> bool:
        """Whether the next word is this one, in whatever case."""
        self.skip_space()
        before = self.position
        found = self.take(_WORD)
        if found is not None and found.lower() == word:
            return True
        self.position = before
        return False

    def mark(self, mark: str) -> bool:
        self.skip_space()
        if not self._text.startswith(mark, self.position):
            return False
        self.position += len(mark)
        return True

    def number(self) -> int | float | None:
        self.skip_space()
        found = _NUMBER.match(self._text, self.position)
        if found is None:
            return None
        number = float(found[0]) if found[1] or found[2] else int(found[0])
        if number in _INFINITE:
            raise self.mistake("a number that is not larger than any that can be stored")
        self.position = found.end()
        return number

    def text(self, *, after_space: bool = True) -> str | None:
        """In double or single quotes, with the escapes of JSON and that of the single quote."""
        if after_space:
            self.skip_space()
        start = self.position
        quote = self._text[start : start + 1]
        if quote not in _PLAIN:
            return None
        self.position += 1
        pieces: list[str] = []
        while not self._text.startswith(quote, self.position):
            pieces.append(self.take(_PLAIN[quote], after_space=False) or self._escaped(quote))
        self.position += 1
        text = _with_whole_surrogates("".join(pieces))
        if flaw := flaw_of_text(text):
            raise ExpressionMistake(start, self.position - start, f"this text {flaw}")
        return text

    def _escaped(self, quote: str) -> str:
        found = _ESCAPE.match(self._text, self.position)
        if found is not None:
            self.position = found.end()
            return chr(int(found[2], 16)) if found[2] else _ESCAPED.get(found[1], found[1])
        if self._text.startswith("\\", self.position):
            raise self.mistake("\\\" \\' \\\\ \\/ \\b \\f \\n \\r \\t or \\u with four hexadecimal digits")
        if self.position == len(self._text):
            raise self.mistake(f"{quote} at the end of the text")
        raise self.mistake("an escape such as \\n for a control character")

    def mistake(self, expected: str, hint: str = "") -> ExpressionMistake:
        """Something else stands here."""
        found = _FOUND.match(self._text, self.position)
        if found is None:
            return ExpressionMistake(self.position, 0, f"expected {expected}, but here it ends{hint}")
        return ExpressionMistake(self.position, len(found[0]), f"expected {expected}, found {shown(found[0])}{hint}")


def _with_whole_surrogates(text: str) -> str:
    """Two escapes of JSON may be one character; halves without their other one stay."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
