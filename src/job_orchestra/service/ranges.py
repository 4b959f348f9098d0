"""Byte ranges of a log (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=\s*(?P<first>\d{0,18})-(?P<last>\d{0,18})\s*")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `start` up to but without `end`; an end of None is that of the log."""

    start: int
    end: int | None


def read_range(header: str | None, size: int) -> ByteRange | None:
    """None where there is no range, or one that may be ignored: malformed, of another unit, or more than one."""
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        return ByteRange(max(0, size - int(match["last"])), None)
    if not match["last"]:
        return ByteRange(int(match["first"]), None)
    if int(match["last"]) < int(match["first"]):
        return None
    return ByteRange(int(match["first"]), int(match["last"]) + 1)
