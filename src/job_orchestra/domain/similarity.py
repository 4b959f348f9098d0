"""What somebody may have meant: the one rule for names that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 100
_SHORTEST = 3
"""With fewer letters, any other name is a slip away."""


def most_similar(name: str, known: Iterable[str]) -> str | None:
    """The known name that was mistyped or only begun; None for a name of its own, however much of it is the same.

    One slip (a letter too many, too few, another one, or two that changed places) for each four letters.
    """
    if len(name) > _LONGEST:
        return None
    names = list(known)
    slips = [(each, _slips(name, each)) for each in names if abs(len(each) - len(name)) <= _allowed(name, each)]
    near = [(count, each) for each, count in slips if count <= _allowed(name, each)]
    if near:
        return min(near)[1]
    begun = [each for each in names if len(name) >= _SHORTEST and each.startswith(name)]
    return begun[0] if len(begun) == 1 else None


def _allowed(name: str, other: str) -> int:
    length = max(len(name), len(other))
    return max(length // 4, length >= _SHORTEST)


def _slips(name: str, other: str) -> int:
    """How many it takes from one to the other (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(name):
        above, row = row, [at + 1]
        for place, wanted in enumerate(other):
            best = min(above[place] + (letter != wanted), above[place + 1] + 1, row[place] + 1)
            if at and place and letter == other[place - 1] and name[at - 1] == wanted:
                best = min(best, before[place - 1] + 1)
            row.append(best)
        before = above
    return row[-1]
