"""How an index grows with its log: which places become records, and how they come into the file.

A place is recorded at least every 64 KiB, and when something is stored a second after the last one; but never so
many that a log that grows slowly has an index of its own size. A small log that is written at once has no index.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from job_orchestra.domain.log_places import BEGINNING, LogFold, LogPlace
from job_orchestra.storage.files.descriptors import make_durable
from job_orchestra.storage.files.index_records import (
    RECORD_SIZE,
    IndexDamaged,
    last_sound_record,
    open_index,
    sound_records,
    write_records,
)
from job_orchestra.storage.files.paths import compressed_path, index_path

_logger = logging.getLogger(__name__)

STEP = 64 << 10
INTERVAL = 1.0
"""Seconds."""
_FREE = 4096
"""Bytes that any index may have; more only with an eighth of the log's own."""


@dataclass(slots=True)
class IndexGrowth:
    """What is known of a log's index and of the log, up to where both were looked at."""

    written: int
    """Records in the file."""
    recorded: LogPlace
    """The last of them, or of those that wait."""
    fold: LogFold
    waiting: list[LogPlace] = field(default_factory=list[LogPlace])
    is_urgent: bool = False
    """Whether one that waits tells of another time."""

    @classmethod
    def begun(cls, date: datetime | None) -> IndexGrowth:
        beginning = replace(BEGINNING, date=date)
        return cls(0, beginning, LogFold(beginning), [beginning])

    @classmethod
    def resumed(cls, written: int, last: LogPlace) -> IndexGrowth:
        return cls(written, last, LogFold(last)) if written else cls.begun(None)

    def is_due(self, together: int) -> bool:
        """Whether there is anything to be written, and enough of it; the beginning alone says nothing."""
        count = len(self.waiting) - (self.written == 0)
        return count > 0 and (self.is_urgent or count >= together)

    def feed(self, data: bytes, date: datetime | None) -> None:
        """The next bytes of the log; None for those of which nobody knows when they were stored."""
        if self._is_time(date):
            self._record(date)
            self.is_urgent = True
        position = 0
        while position < len(data):
            if self.fold.offset - self.recorded.offset >= STEP:
                self._record(date)
            room = self.recorded.offset + STEP - self.fold.offset
            self.fold.feed(data[position : position + room])
            position += room

    def _is_time(self, date: datetime | None) -> bool:
        if date is None:
            return False
        if self.recorded.date is not None and not is_later(self.recorded.date, date):
            return False
        return (self.written + len(self.waiting)) * RECORD_SIZE < _FREE + self.fold.offset // 8

    def _record(self, date: datetime | None) -> None:
        place = replace(self.fold.place, date=date)
        if place.offset > self.recorded.offset:
            self.recorded = place
            self.waiting.append(place)


def is_later(earlier: datetime, date: datetime) -> bool:
    """By so much that it is worth a record; also where the clock was set back."""
    return abs((date - earlier).total_seconds()) >= INTERVAL


def read_growth(path: Path, size: int) -> IndexGrowth | None:
    """As the end of the file says, at the same cost however long it is; `size` is that of the log.

    None where that is not right, so that all of it has to be looked at.
    """
    with _locked(path, os.O_RDWR) as descriptor:
        if descriptor is None:
            return IndexGrowth.begun(None)
        found = last_sound_record(descriptor, size)
        return None if found is None else _resumed(descriptor, *found)


def read_checked_growth(path: Path, size: int) -> IndexGrowth:
    """As the file says, which is cut where the first record is that is not right."""
    with _locked(path, os.O_RDWR, is_alone=False) as descriptor:
        written, last = (0, BEGINNING) if descriptor is None else sound_records(descriptor, size)
    with _locked(path, os.O_RDWR) as descriptor:
        if descriptor is None:
            return IndexGrowth.begun(None)
        # Others may have written on meanwhile, or emptied it.
        if not _has(descriptor, written, last):
            written, last = 0, BEGINNING
        return _resumed(descriptor, *sound_records(descriptor, size, written, last))


def _has(descriptor: int, written: int, last: LogPlace) -> bool:
    try:
        return not written or open_index(descriptor).place(written - 1) == last
    except IndexDamaged:
        return False


def _resumed(descriptor: int, written: int, last: LogPlace) -> IndexGrowth:
    if os.fstat(descriptor).st_size != written * RECORD_SIZE:
        os.ftruncate(descriptor, written * RECORD_SIZE)
    return IndexGrowth.resumed(written, last)


def write_growth(path: Path, growth: IndexGrowth, is_right: Callable[[], bool]) -> bool:
    """Whether what waited is in the file: not if somebody else has written there, or it is not right for the log."""
    with _locked(path, os.O_RDWR | os.O_CREAT) as descriptor:
        assert descriptor is not None
        place = growth.written * RECORD_SIZE
        if os.fstat(descriptor).st_size != place or not is_right():
            return False
        if not path.exists() and not compressed_path(path).exists():
            index_path(path).unlink(missing_ok=True)
            return False
        records = write_records(growth.waiting)
        if os.pwrite(descriptor, records, place) != len(records):
            return False
    growth.written += len(growth.waiting)
    growth.waiting.clear()
    growth.is_urgent = False
    return True


@contextmanager
def index_emptied(path: Path) -> Generator[None]:
    """While the log is emptied nobody writes into its index; durable, lest it tells of what is not there any more.

    What cannot be emptied is removed, or else left: the log does not depend on it.
    """
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(_locked(path, os.O_RDWR))
            if descriptor is not None:
                os.ftruncate(descriptor, 0)
                os.fdatasync(descriptor)
        except OSError as error:
            _logger.debug("The index of %s is removed: it cannot be emptied: %s", path.name, error)
            with suppress(OSError):
                index_path(path).unlink(missing_ok=True)
                make_durable(path.parent)
        yield


@contextmanager
def _locked(path: Path, flags: int, is_alone: bool = True) -> Generator[int | None]:
    """The index of the log at `path`; None if there is none. Whoever is alone with it is not for long."""
    try:
        descriptor = os.open(index_path(path), flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        if flags & os.O_CREAT:
            raise
        yield None
        return
    try:
        if is_alone:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
