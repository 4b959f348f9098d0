"""Versions as they are written everywhere (3.11, v2.0.1, 6.1.0-18-amd64, 3.12.0rc1), in their order."""

from __future__ import annotations

import re
from typing import TypeAlias

_LONGEST = 100
_VERSION = re.compile(
    r"v?(?P<release>[0-9]+(?:\.[0-9]+)*)(?P<rest>(?:[-._~a-z0-9]*[a-z0-9])?)(?:\+[-.a-z0-9]+)?", re.IGNORECASE
)
_PARTS = re.compile(r"[0-9]+|[a-z]+")
_STAGES = (("dev", "snapshot"), ("a", "alpha"), ("b", "beta"), ("c", "rc", "m", "milestone", "pre", "preview"))
_BEFORE_RELEASE = {word: number for number, words in enumerate(_STAGES) for word in words}
"""Any other word, and any number, comes after the release."""

_Part: TypeAlias = tuple[int, int, str]
_END: _Part = (1, 0, "")
VersionKey: TypeAlias = tuple[tuple[int, ...], tuple[_Part, ...]]


def version_key(text: str) -> VersionKey | None:
    """What compares as the version does; None if it is none. 3.11 is 3.11.0, and what follows a + does not count."""
    if len(text) > _LONGEST or not (found := _VERSION.fullmatch(text)):
        return None
    release = [int(number) for number in found["release"].split(".")]
    while len(release) > 1 and not release[-1]:
        release.pop()
    return tuple(release), (*map(_part, _PARTS.findall(found["rest"].lower())), _END)


def _part(text: str) -> _Part:
    if text.isdecimal():
        return (3, int(text), "")
    if text in _BEFORE_RELEASE:
        return (0, _BEFORE_RELEASE[text], "")
    return (2, 0, text)
