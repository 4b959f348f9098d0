"""Reading compressed logs: any byte of the log at the cost of one frame."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import zstandard

from job_orchestra.storage.files.seek_table import Frame, Malformed, SeekTable, read_seek_table
from job_orchestra.storage.log_port import LogDamaged

_MOST_TABLES = 16
"""A table has sixteen bytes for each frame: some megabytes for a log of a hundred gigabytes."""

_Identity: TypeAlias = tuple[int, int, int, int]


class CompressedLogs:
    """For several threads. LogDamaged for files that cannot be read, FileNotFoundError where there is none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: OrderedDict[_Identity, SeekTable] = OrderedDict()
        """Those used last, so that reading on does not read the table again for each piece."""

    def size(self, path: Path) -> int:
        with _opened(path) as descriptor:
            return self._table(descriptor).size

    def read(self, path: Path, offset: int, limit: int) -> bytes:
        """As far as one frame goes: who reads on begins the next piece with the next frame."""
        with _opened(path) as descriptor:
            frame = self._table(descriptor).find(offset)
            if frame is None:
                return b""
            start = offset - frame.plain_start
            return _unpacked(descriptor, frame)[start : start + limit]

    def sha256(self, path: Path, go_on: Callable[[], None] = lambda: None) -> tuple[int, str]:
        """`go_on` is called for each frame and raises what ends it."""
        with _opened(path) as descriptor:
            table, digest = self._table(descriptor), hashlib.sha256()
            for number in range(table.frames):
                go_on()
                digest.update(_unpacked(descriptor, table.frame(number)))
            return table.size, digest.hexdigest()

    def _table(self, descriptor: int) -> SeekTable:
        facts = os.fstat(descriptor)
        identity = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
        with self._lock:
            table = self._tables.pop(identity, None)
        if table is None:
            table = read_seek_table(descriptor)
        with self._lock:
            self._tables[identity] = table
            while len(self._tables) > _MOST_TABLES:
                self._tables.popitem(last=False)
        return table


def _unpacked(descriptor: int, frame: Frame) -> bytes:
    size = frame.plain_end - frame.plain_start
    packed = os.pread(descriptor, frame.end - frame.start, frame.start)
    try:
        plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
    except zstandard.ZstdError as error:
        raise Malformed(f"the frame at byte {frame.start} cannot be read ({error})") from None
    if len(plain) != size:
        raise Malformed(f"the frame at byte {frame.start} has {len(plain)} bytes, and {size} by the seek table")
    return plain


@contextmanager
def _opened(path: Path) -> Generator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    except Malformed as error:
        raise LogDamaged(f"The compressed log {path} is damaged: {error}.") from None
    finally:
        os.close(descriptor)
