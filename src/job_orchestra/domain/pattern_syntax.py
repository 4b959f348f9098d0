r"""How patterns are written: the part of regular expressions that can be matched without trying and taking back.

Characters, `.`, classes (`[a-z]`, `[^/]`), `\d`, `\w`, `\s` (of ASCII) and their opposites, groups, `|`, and `*`, `+`,
`?`, `{2}`, `{2,}`, `{2,5}`. `^` and `$` may stand at the ends; a pattern means the whole text anyway.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TypeAlias

LONGEST_PATTERN = 500
_MOST_DEPTH = 20
_MOST_REPEATS = 300
_COUNTS = re.compile(r"\{(\d{1,6})(,(\d{1,6})?)?\}")
_SPECIAL = "\\^$.|?*+()[]{}"

_Ranges: TypeAlias = tuple[tuple[int, int], ...]

_DIGITS: _Ranges = ((48, 57),)
_WORD: _Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: _Ranges = ((9, 13), (32, 32))
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of these ranges of code points."""

    ranges: _Ranges

    def accept(self, character: str) -> bool:
        return any(first <= ord(character) <= last for first, last in self.ranges)


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    item: Node
    least: int
    most: int | None


Node: TypeAlias = Characters | Sequence | Either | Repeat

_QUANTIFIERS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_ANY = Characters(((0, 9), (11, sys.maxunicode)))
"""All but a line's end."""


def parse_pattern(pattern: str) -> Node:
    """ValueError, with what is wrong and where, for what is no pattern."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"has {len(pattern)} characters, and may have {LONGEST_PATTERN}")
    return _Parser(pattern).whole()


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._either()
        if self._at < len(self._pattern):
            raise self._wrong("a ) that closes nothing")
        return node

    def _either(self) -> Node:
        options = [self._sequence()]
        while self._takes("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Either(tuple(options))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._next not in ("", "|", ")"):
            if not self._is_end_of_text():
                items.append(self._repeated())
        return Sequence(tuple(items))

    def _is_end_of_text(self) -> bool:
        """Of `^` and `$`, where they say what is so anyway."""
        is_first, is_last = self._at == 0, self._at == len(self._pattern) - 1
        if (self._next == "^" and is_first) or (self._next == "$" and is_last):
            self._at += 1
            return True
        return False

    def _repeated(self) -> Node:
        item = self._item()
        counts = _COUNTS.match(self._pattern, self._at)
        if self._next in _QUANTIFIERS and self._next:
            least, most = _QUANTIFIERS[self._next]
            self._at += 1
        elif counts:
            least = int(counts[1])
            most = least if counts[2] is None else None if counts[3] is None else int(counts[3])
            if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
                raise self._wrong(f"{counts[0]}, which is not from 0 to {_MOST_REPEATS} times")
            self._at = counts.end()
        else:
            return item
        self._takes("?")  # How much is taken first makes no difference to whether the whole text matches.
        return Repeat(item, least, most)

    def _item(self) -> Node:
        character = self._next
        if character == "(":
            return self._group()
        if character == "[":
            return Characters(self._class())
        if character == "\\":
            return Characters(self._escape())
        if character in _SPECIAL and character != ".":
            raise self._wrong(f"{character} where it means nothing; write \\{character} for the character itself")
        self._at += 1
        return _ANY if character == "." else Characters(_only(character))

    def _group(self) -> Node:
        self._at += 1
        if self._takes("?") and not self._takes(":"):
            raise self._wrong("a group with (?, of which only (?: is known")
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._wrong(f"groups in more than {_MOST_DEPTH} others")
        node = self._either()
        if not self._takes(")"):
            raise self._wrong("a ( that is not closed")
        self._depth -= 1
        return node

    def _escape(self) -> _Ranges:
        self._at += 1
        character = self._next
        self._at += 1
        if character.lower() in _CLASSES:
            ranges = _CLASSES[character.lower()]
            return ranges if character.islower() else _others(ranges)
        if character in _CONTROLS:
            return _only(_CONTROLS[character])
        if not character or (character.isascii() and character.isalnum()):
            self._at -= 1
            raise self._wrong(f"\\{character}, which is unknown")
        return _only(character)

    def _class(self) -> _Ranges:
        begin = self._at
        self._at += 1
        is_opposite = self._takes("^")
        ranges: list[tuple[int, int]] = []
        while not (self._next == "]" and ranges):
            if not self._next:
                self._at = begin
                raise self._wrong("a [ that is not closed")
            ranges += self._range()
        self._at += 1
        return _others(tuple(sorted(ranges))) if is_opposite else tuple(ranges)

    def _range(self) -> _Ranges:
        first = self._member()
        if self._next != "-" or self._pattern[self._at + 1 : self._at + 2] in ("", "]"):
            return first
        self._at += 1
        last = self._member()
        begin, end = _single(first), _single(last)
        if begin is None or end is None or begin > end:
            raise self._wrong("a range in [ ] that does not go up from one character to another")
        return ((begin, end),)

    def _member(self) -> _Ranges:
        if self._next == "\\":
            return self._escape()
        self._at += 1
        return _only(self._pattern[self._at - 1])

    @property
    def _next(self) -> str:
        """Empty at the end."""
        return self._pattern[self._at : self._at + 1]

    def _takes(self, character: str) -> bool:
        if self._next != character:
            return False
        self._at += 1
        return True

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"has, at character {self._at + 1}, {what}")


def _only(character: str) -> _Ranges:
    return ((ord(character), ord(character)),)


def _single(ranges: _Ranges) -> int | None:
    """The only code point that is in them; None if there are more."""
    [(first, last), *others] = ranges
    return first if first == last and not others else None


def _others(ranges: _Ranges) -> _Ranges:
    """All code points that are in none of the ranges, which are sorted."""
    others: list[tuple[int, int]] = []
    begin = 0
    for first, last in ranges:
        if begin < first:
            others.append((begin, first - 1))
        begin = max(begin, last + 1)
    if begin <= sys.maxunicode:
        others.append((begin, sys.maxunicode))
    return tuple(others)
