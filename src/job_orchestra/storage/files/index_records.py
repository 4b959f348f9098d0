"""The index of a log: records of one size, each a place in the log, so that any place is found by halving.

A record is true by itself, whatever became of those around it; the checksum tells one that was never written whole.
What is lost can be computed from the log again, so nothing of the index is made durable.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from job_orchestra.domain.log_places import BEGINNING, LogPlace
from job_orchestra.domain.moments import from_microseconds, to_microseconds
from job_orchestra.domain.text_styles import Style

RECORD_SIZE = 32
_FIELDS = struct.Struct("<QQqHxx")
_CHECKSUM = struct.Struct("<I")
_FORM = 0x4C6F6701
"""What the checksum begins with: another form of records would have another number."""
_READ_AT_ONCE = 2048
"""Records."""
_MOST_STEPS_BACK = 16
_NO_DATE = 0
_NO_COLOUR = 16
_FLAGS = ("is_bold", "is_dim", "is_italic", "is_underlined", "is_struck", "is_inverse")


class IndexDamaged(Exception):
    """A record is not as it was written, or does not belong to that log."""


def write_records(places: Sequence[LogPlace]) -> bytes:
    return b"".join(map(_write, places))


@dataclass(frozen=True, slots=True)
class LogIndex:
    """What is in the file of an open descriptor at the moment."""

    descriptor: int
    records: int

    def place(self, number: int) -> LogPlace:
        """IndexDamaged where that is no record."""
        return _read(os.pread(self.descriptor, RECORD_SIZE, number * RECORD_SIZE))

    def last(self, is_before: Callable[[LogPlace], bool]) -> tuple[int, LogPlace]:
        """The last place that is before something, with its number; the beginning of the log, and -1, if none is."""
        low, high, found = 0, self.records, BEGINNING
        while low < high:
            middle = (low + high) // 2
            place = self.place(middle)
            if is_before(place):
                low, found = middle + 1, place
            else:
                high = middle
        return low - 1, found


def open_index(descriptor: int) -> LogIndex:
    return LogIndex(descriptor, os.fstat(descriptor).st_size // RECORD_SIZE)


def sound_records(descriptor: int, size: int, number: int = 0, last: LogPlace = BEGINNING) -> tuple[int, LogPlace]:
    """How many records from the first on are right for a log of this size, and the last one of them.

    `number` of them are known to be, up to `last`.
    """
    while records := os.pread(descriptor, _READ_AT_ONCE * RECORD_SIZE, number * RECORD_SIZE):
        for start in range(0, len(records), RECORD_SIZE):
            try:
                place = _read(records[start : start + RECORD_SIZE])
            except IndexDamaged:
                return number, last
            if place.offset > size or place.newlines < last.newlines or (number and place.offset <= last.offset):
                return number, last
            number, last = number + 1, place
    return number, last


def last_sound_record(descriptor: int, size: int) -> tuple[int, LogPlace] | None:
    """Likewise, by the last ones alone: what is damaged before them is for those to find who read it.

    None where none of these is right.
    """
    index = open_index(descriptor)
    for number in range(index.records, max(0, index.records - _MOST_STEPS_BACK), -1):
        with suppress(IndexDamaged):
            place = index.place(number - 1)
            if place.offset <= size:
                return number, place
    return None if index.records else (0, BEGINNING)


def _write(place: LogPlace) -> bytes:
    date = _NO_DATE if place.date is None else to_microseconds(place.date)
    fields = _FIELDS.pack(place.offset, place.newlines, date, _style_to_number(place.style))
    return fields + _CHECKSUM.pack(zlib.crc32(fields, _FORM))


def _read(record: bytes) -> LogPlace:
    if len(record) != RECORD_SIZE:
        raise IndexDamaged
    fields = record[: _FIELDS.size]
    if _CHECKSUM.pack(zlib.crc32(fields, _FORM)) != record[_FIELDS.size :]:
        raise IndexDamaged
    offset, newlines, date, style = _FIELDS.unpack(fields)
    return LogPlace(offset, newlines, _style_from_number(style), None if date == _NO_DATE else from_microseconds(date))


def _style_to_number(style: Style) -> int:
    number = _NO_COLOUR if style.foreground is None else style.foreground
    number |= (_NO_COLOUR if style.background is None else style.background) << 5
    for position, flag in enumerate(_FLAGS):
        number |= getattr(style, flag) << (10 + position)
    return number


def _style_from_number(number: int) -> Style:
    foreground, background = number & 31, number >> 5 & 31
    flags = {flag: bool(number >> (10 + position) & 1) for position, flag in enumerate(_FLAGS)}
    return Style(
        None if foreground >= _NO_COLOUR else foreground, None if background >= _NO_COLOUR else background, **flags
    )
