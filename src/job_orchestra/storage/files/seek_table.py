"""The table at the end of a compressed log that says where each of its frames is: the seekable format of Zstandard.

Frames stand one after the other, each complete in itself; any tool that knows Zstandard reads them. Behind them is one
that such tools skip: it has the sizes of all frames, so that each can be found without reading those before it.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

LARGEST_FRAME = 16 << 20
"""Of plain bytes. Ours are much smaller; this bounds what somebody else's file makes us hold."""

_SKIPPED = struct.Struct("<II")
_SKIPPED_MAGIC = 0x184D2A5E
_FOOTER = struct.Struct("<IBI")
_SEEKABLE_MAGIC = 0x8F92EAB1
_HAS_CHECKSUMS = 0x80
_RESERVED = 0x7C
_MOST_FRAMES = 0x8000000
_WORD = "I"
"""Of `array`: four bytes, in the order of the machine."""


class Malformed(Exception):
    """What is in the file is no compressed log, or not all of it."""


@dataclass(frozen=True, slots=True)
class Frame:
    plain_start: int
    plain_end: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SeekTable:
    """Where frames begin, in the log and in the file; the last numbers are the ends."""

    plain: array[int]
    packed: array[int]

    @property
    def size(self) -> int:
        """Of the plain log."""
        return self.plain[-1]

    @property
    def frames(self) -> int:
        return len(self.plain) - 1

    def frame(self, number: int) -> Frame:
        return Frame(self.plain[number], self.plain[number + 1], self.packed[number], self.packed[number + 1])

    def find(self, offset: int) -> Frame | None:
        """The one with this byte of the log; None behind its end."""
        return self.frame(bisect_right(self.plain, offset) - 1) if offset < self.size else None


def new_sizes() -> array[int]:
    """For the packed and the plain size of each frame, one after the other."""
    return array(_WORD)


def write_seek_table(sizes: array[int]) -> bytes:
    entries = _little_endian(array(_WORD, sizes)).tobytes()
    footer = _FOOTER.pack(len(sizes) // 2, 0, _SEEKABLE_MAGIC)
    return _SKIPPED.pack(_SKIPPED_MAGIC, len(entries) + len(footer)) + entries + footer


def read_seek_table(descriptor: int) -> SeekTable:
    """Malformed if the end of the file is no seek table, or not that of this file."""
    size = os.fstat(descriptor).st_size
    frames, flags, magic = _FOOTER.unpack(_bytes_at(descriptor, size - _FOOTER.size, _FOOTER.size))
    if magic != _SEEKABLE_MAGIC or flags & _RESERVED or frames > _MOST_FRAMES:
        raise Malformed("it does not end with a seek table")
    words_each = 3 if flags & _HAS_CHECKSUMS else 2
    length = frames * words_each * 4
    start = size - _FOOTER.size - length - _SKIPPED.size
    if _SKIPPED.unpack(_bytes_at(descriptor, start, _SKIPPED.size)) != (_SKIPPED_MAGIC, length + _FOOTER.size):
        raise Malformed("its seek table has no beginning")
    words = array(_WORD)
    words.frombytes(_bytes_at(descriptor, start + _SKIPPED.size, length))
    words = _little_endian(words)
    packed, plain = words[0::words_each], words[1::words_each]
    table = SeekTable(array("Q", accumulate(plain, initial=0)), array("Q", accumulate(packed, initial=0)))
    if table.packed[-1] != start:
        raise Malformed(f"its frames have {start} bytes, and {table.packed[-1]} by its seek table")
    if max(plain, default=0) > LARGEST_FRAME:
        raise Malformed(f"one of its frames has more than {LARGEST_FRAME} bytes")
    return table


def _bytes_at(descriptor: int, offset: int, length: int) -> bytes:
    """All of them: Malformed where the file has not as many."""
    if offset < 0:
        raise Malformed("it is too short")
    found = bytearray()
    while len(found) < length:
        piece = os.pread(descriptor, length - len(found), offset + len(found))
        if not piece:
            raise Malformed("it is too short")
        found += piece
    return bytes(found)


def _little_endian(words: array[int]) -> array[int]:
    if sys.byteorder == "big":
        words.byteswap()
    return words
