"""Patterns that a whole text has to match, in time that grows with its length alone.

Nothing is tried and taken back, as in Python's `re`: no text, however it is made, holds up who checks it. All positions
of the pattern that the text so far may have led to are followed at once, each a bit of a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from job_orchestra.domain.pattern_syntax import Characters, Either, Node, Repeat, Sequence, parse_pattern

MOST_POSITIONS = 300
"""Characters that a pattern describes, each as often as it is repeated by number."""
LONGEST_TEXT = 1000


class Pattern:
    """ValueError for a text that is no pattern, with what is wrong."""

    def __init__(self, pattern: str) -> None:
        self._characters: list[Characters] = []
        self._behind: list[int] = []
        """For each position those that may follow it."""
        self._whole = self._part(parse_pattern(pattern))

    def matches(self, text: str) -> bool:
        """Whether all of the text does; a text that is longer than `LONGEST_TEXT` never does."""
        if not text or len(text) > LONGEST_TEXT:
            return not text and self._whole.may_be_empty
        accepting: dict[str, int] = {}
        expected, reached = self._whole.first, 0
        for character in text:
            if character not in accepting:
                accepting[character] = self._accepting(character)
            reached = expected & accepting[character]
            expected = self._union_behind(reached)
        return bool(reached & self._whole.last)

    def _accepting(self, character: str) -> int:
        return sum(1 << position for position, one in enumerate(self._characters) if one.accept(character))

    def _union_behind(self, positions: int) -> int:
        union = 0
        for position in _each(positions):
            union |= self._behind[position]
        return union

    def _part(self, node: Node) -> _Part:
        match node:
            case Characters():
                return self._position(node)
            case Sequence(items):
                part = _EMPTY
                for item in items:
                    part = self._joined(part, self._part(item))
                return part
            case Either(options):
                parts = [self._part(option) for option in options]
                part = parts[0]
                for other in parts[1:]:
                    part = part.or_else(other)
                return part
            case Repeat():
                return self._repeated(node)

    def _position(self, characters: Characters) -> _Part:
        position = len(self._characters)
        if position == MOST_POSITIONS:
            raise ValueError(f"describes more than {MOST_POSITIONS} characters")
        self._characters.append(characters)
        self._behind.append(0)
        return _Part(may_be_empty=False, first=1 << position, last=1 << position)

    def _joined(self, part: _Part, other: _Part) -> _Part:
        for position in _each(part.last):
            self._behind[position] |= other.first
        return _Part(
            may_be_empty=part.may_be_empty and other.may_be_empty,
            first=part.first | (other.first if part.may_be_empty else 0),
            last=other.last | (part.last if other.may_be_empty else 0),
        )

    def _repeated(self, node: Repeat) -> _Part:
        copies = max(node.least, 1) if node.most is None else node.most
        whole = _EMPTY
        for number in range(copies):
            known = len(self._characters)
            part = self._part(node.item)
            if node.most is None and number == copies - 1:
                self._joined(part, part)
            if number >= node.least:
                part = part.or_else(_EMPTY)
            whole = self._joined(whole, part)
            if len(self._characters) == known:
                break  # What is empty is so however often it is repeated.
        return whole


@dataclass(frozen=True, slots=True)
class _Part:
    """Of a pattern: where a text that matches it may begin and end."""

    may_be_empty: bool = True
    first: int = 0
    last: int = 0

    def or_else(self, other: _Part) -> _Part:
        return _Part(self.may_be_empty or other.may_be_empty, self.first | other.first, self.last | other.last)


_EMPTY = _Part()


def _each(positions: int) -> list[int]:
    found: list[int] = []
    while positions:
        lowest = positions & -positions
        found.append(lowest.bit_length() - 1)
        positions ^= lowest
    return found


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """ValueError for a text that is no pattern, with what is wrong."""
    return Pattern(pattern)
