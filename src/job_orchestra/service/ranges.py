"""Byte ranges of a log (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"(?P<first>[0-9]*)-(?P<last>[0-9]*)")
_MOST = 10**18
"""No log is as long; a number with more digits stands for this one."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `start` up to but without `end`; an end of None is that of the log."""

    start: int
    end: int | None


def read_range(header: str | None, size: int) -> ByteRange | None:
    """None where there is no range, or one that may be ignored: malformed, of another unit, or more than one."""
    unit, _, ranges = (header or "").partition("=")
    given = [text for each in ranges.split(",") if (text := each.strip(" \t"))]
    match = _RANGE.fullmatch(given[0]) if len(given) == 1 and unit.lower() == "bytes" else None
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        # The end of an empty log is all of it, and no Content-Range can say so.
        wanted = _number(match["last"])
        return ByteRange(max(0, size - wanted), None) if size or not wanted else None
    first = _number(match["first"])
    if not match["last"]:
        return ByteRange(first, None)
    last = _number(match["last"])
    return ByteRange(first, last + 1) if last >= first else None


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= len(str(_MOST)) - 1 else _MOST
