"""Finding places of a log by its index: some reads of 32 bytes, and one of what is between a record and the place."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from job_orchestra.domain.log_places import BEGINNING, LogFold, LogPlace
from job_orchestra.storage.files.forms import LogForms
from job_orchestra.storage.files.index_records import IndexDamaged, LogIndex, open_index
from job_orchestra.storage.files.paths import index_path

FARTHEST = 4 << 20
"""Bytes that are read at most beyond the last record; an index that is farther behind has to catch up."""
_BLOCK = 256 << 10


class NotIndexed(Exception):
    """The index is missing, damaged, or too far behind."""


class PlaceFinder:
    """For several threads. NotIndexed where only reading the log for long would tell."""

    def __init__(self, forms: LogForms) -> None:
        self._forms = forms

    def at(self, path: Path, offset: int) -> LogPlace:
        """The last place at or before the offset that is not within a sequence, or at the end of the log."""
        start = self._last(path, lambda place: place.offset <= offset)
        if offset - start.offset > FARTHEST:
            offset = min(offset, self._forms.size(path))
        return self._folded(path, start, offset)

    def of_line(self, path: Path, line: int) -> LogPlace:
        """Where the line begins, or the last one if there are not so many."""
        wanted = line - 1
        if not wanted:
            return self.at(path, 0)
        start = self._last(path, lambda place: place.newlines < wanted)
        missing, position, last = wanted - start.newlines, start.offset, None
        while missing:
            data = self._read(path, start, position, _BLOCK)
            if not data:
                break
            found, end = _after_newlines(data, missing)
            missing -= found
            if found:
                last = position + end
            position += len(data)
        # Where the last line began long before the end, that is found by its number.
        return self.of_line(path, start.line) if last is None else self.at(path, last)

    def between(self, path: Path, start: int, end: int, limit: int) -> list[LogPlace]:
        """What is recorded behind `start` and before `end`, in order."""
        with _opened(path) as index:
            if index is None:
                return []
            number, _ = index.last(lambda place: place.offset <= start)
            places: list[LogPlace] = []
            for following in range(number + 1, min(index.records, number + 1 + limit)):
                place = index.place(following)
                if place.offset >= end:
                    break
                places.append(place)
            return places

    def _last(self, path: Path, is_before: Callable[[LogPlace], bool]) -> LogPlace:
        with _opened(path) as index:
            return BEGINNING if index is None else index.last(is_before)[1]

    def _folded(self, path: Path, start: LogPlace, offset: int) -> LogPlace:
        fold = LogFold(start)
        while fold.offset < offset:
            data = self._read(path, start, fold.offset, min(_BLOCK, offset - fold.offset))
            if not data:
                break
            fold.feed(data)
        return replace(fold.place, date=start.date)

    def _read(self, path: Path, start: LogPlace, offset: int, limit: int) -> bytes:
        if offset - start.offset > FARTHEST:
            raise NotIndexed
        return self._forms.read(path, offset, limit)


def _after_newlines(data: bytes, most: int) -> tuple[int, int]:
    """How many newlines there are, as far as they are wanted, and where the last of these ends."""
    count = data.count(b"\n")
    if count <= most:
        return count, data.rfind(b"\n") + 1
    end = 0
    for _ in range(most):
        end = data.index(b"\n", end) + 1
    return most, end


@contextmanager
def _opened(path: Path) -> Generator[LogIndex | None]:
    try:
        descriptor = os.open(index_path(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    except OSError:
        raise NotIndexed from None
    try:
        yield open_index(descriptor)
    except (IndexDamaged, OSError):
        raise NotIndexed from None
    finally:
        os.close(descriptor)
