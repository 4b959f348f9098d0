"""The indexes of the logs in a directory: they grow with the logs, catch up where they are behind, and are read.

Whoever stores does not wait for them: small pieces are gathered, and larger ones are looked through while the disk
makes them durable.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from job_orchestra.storage.files.forms import LogForms
from job_orchestra.storage.files.index_growth import (
    STEP,
    IndexGrowth,
    is_later,
    read_checked_growth,
    read_growth,
    write_growth,
)
from job_orchestra.storage.files.paths import index_path
from job_orchestra.storage.files.place_finding import FARTHEST, PlaceFinder
from job_orchestra.storage.log_port import LogDamaged, LogPiece

T = TypeVar("T")

_logger = logging.getLogger(__name__)

_MOST_GROWING = 256
_ENOUGH = 256 << 10
"""Bytes of a log that are looked through at once: another thread, which the disk need not wait for, costs less then."""
_FEW = 64
"""Logs of which so much is gathered; of more it is less."""
_BLOCK = 1 << 20
_WRITTEN_AT_ONCE = 256
_WRITTEN_TOGETHER = 16
"""Records of a log that grows quickly."""
_MOST_BEHIND = 64
"""Logs whose indexes catch up, one after the other; who asks for another one asks again later."""
_PATIENCE = 1.0
"""Seconds for which somebody who asks waits for an index to catch up."""


@dataclass(slots=True)
class _Growing:
    """A log, up to its end."""

    growth: IndexGrowth | None
    """None where the index has to be read first."""
    start: int
    """Where that ends, and what was gathered begins."""
    end: int
    since: datetime
    """When the index was looked after last."""
    gathered: list[tuple[bytes, datetime]] = field(default_factory=list[tuple[bytes, datetime]])

    def add(self, piece: LogPiece, date: datetime) -> None:
        data = piece.data[self.end - piece.offset :]
        if data:
            self.gathered.append((data, date))
            self.end += len(data)


class LogIndexes:
    """What goes wrong with an index harms no log: it is behind then, and catches up another time.

    All but `find`, `caught_up`, `begin_to_catch_up` and `close` is for the thread that writes logs.
    """

    def __init__(self, forms: LogForms, now: Callable[[], datetime]) -> None:
        self._forms = forms
        self._now = now
        self._finder = PlaceFinder(forms)
        self._growing: OrderedDict[Path, _Growing] = OrderedDict()
        self._due: dict[Path, _Growing] = {}
        """Those of which enough is gathered."""
        self._emptied = 0
        """How often a log was emptied: what was read before that does not count any more."""
        self._catching_up = ThreadPoolExecutor(1, thread_name_prefix="log index")
        self._lock = threading.Lock()
        self._behind: dict[Path, Future[None]] = {}
        self._closed = threading.Event()

    def gather(self, path: Path, size: int, pieces: Sequence[LogPiece]) -> None:
        """What is written behind the `size` bytes that the log had."""
        date = self._now()
        growing = self._growing.pop(path, None)
        if growing is None or growing.end != size:
            growing = _Growing(None if size else self._begun(path, date), size, size, date)
        for piece in pieces:
            growing.add(piece, date)
        enough = _ENOUGH if len(self._growing) < _FEW else STEP
        if growing.end - growing.start >= enough or is_later(growing.since, date):
            growing.since = date
            self._due[path] = growing
        self._growing[path] = growing
        if len(self._growing) > _MOST_GROWING:
            self._growing.popitem(last=False)

    @property
    def is_busy(self) -> bool:
        """Whether `look_through` takes a while."""
        return any(growing.end - growing.start >= _ENOUGH for growing in self._due.values())

    def look_through(self) -> None:
        """What is gathered and due."""
        for path, growing in self._due.items():
            with _harmless(path):
                self._look_through(path, growing)

    def write(self) -> None:
        """All that was gathered is stored."""
        self.look_through()
        due, self._due = self._due, {}
        for path, growing in due.items():
            if growing.growth is None:
                self._growing.pop(path, None)
                self.begin_to_catch_up(path)
            elif growing.growth.is_due(_WRITTEN_TOGETHER):
                with _harmless(path):
                    if not self._is_written(path, growing.growth, self._emptied):
                        self._growing.pop(path, None)

    def finish(self, path: Path) -> None:
        """The log does not grow any more, as far as it is known: what was gathered is written, too."""
        growing = self._growing.pop(path, None)
        if growing is not None and growing.growth is not None:
            with _harmless(path):
                self._look_through(path, growing)
                if growing.growth.is_due(1):
                    self._is_written(path, growing.growth, self._emptied)

    def finish_all(self) -> None:
        while self._growing:
            self.finish(next(iter(self._growing)))

    def forget(self, path: Path) -> None:
        """What was gathered is not stored, or not there any more."""
        self._growing.pop(path, None)
        self._due.pop(path, None)

    def emptied(self, path: Path) -> None:
        """Before the log is."""
        self.forget(path)
        self._emptied += 1

    def find(self, look: Callable[[PlaceFinder], T]) -> T:
        """NotIndexed if the index has to catch up before."""
        return look(self._finder)

    async def caught_up(self, path: Path) -> None:
        """When the index knows all of the log as it is now, or after a moment."""
        behind = self.begin_to_catch_up(path)
        if behind is not None:
            await asyncio.wait({asyncio.wrap_future(behind)}, timeout=_PATIENCE)

    def begin_to_catch_up(self, path: Path) -> Future[None] | None:
        """None if too many logs wait for that already, or this process is ending."""
        with self._lock:
            found = self._behind.get(path)
            if found is None and len(self._behind) < _MOST_BEHIND and not self._closed.is_set():
                found = self._behind[path] = self._catching_up.submit(self._catch_up, path, self._emptied)
        return found

    def close(self) -> None:
        with self._lock:
            self._closed.set()
        self._catching_up.shutdown()

    def _begun(self, path: Path, date: datetime) -> IndexGrowth:
        with _harmless(path):
            # Of whatever was there before under that name.
            index_path(path).unlink(missing_ok=True)
        return IndexGrowth.begun(date)

    def _look_through(self, path: Path, growing: _Growing) -> None:
        growth = growing.growth or self._resumed(path, growing.start)
        if growth is None:
            return
        for data, date in growing.gathered:
            growth.feed(data, date)
        growing.growth, growing.start = growth, growing.end
        growing.gathered.clear()

    def _resumed(self, path: Path, size: int) -> IndexGrowth | None:
        """As far as `size`; None if that is too far from where the index ends, or is catching up."""
        if self._is_behind(path):
            return None
        growth = read_growth(path, size)
        if growth is None or size - growth.fold.offset > FARTHEST:
            return None
        while growth.fold.offset < size:
            data = self._forms.read(path, growth.fold.offset, size - growth.fold.offset)
            if not data:
                return None
            growth.feed(data, None)
        return growth

    def _is_written(self, path: Path, growth: IndexGrowth, emptied: int) -> bool:
        def is_right() -> bool:
            return self._emptied == emptied and self._forms.size(path) >= growth.fold.offset

        return write_growth(path, growth, is_right)

    def _is_behind(self, path: Path) -> bool:
        with self._lock:
            return path in self._behind

    def _catch_up(self, path: Path, emptied: int) -> None:
        try:
            with _harmless(path):
                size = self._forms.size(path)
                growth = read_checked_growth(path, size)
                while growth.fold.offset < size and not self._closed.is_set():
                    data = self._forms.read(path, growth.fold.offset, min(_BLOCK, size - growth.fold.offset))
                    growth.feed(data, None)
                    is_last = not data or growth.fold.offset >= size
                    is_due = growth.is_due(1 if is_last else _WRITTEN_AT_ONCE)
                    if not data or (is_due and not self._is_written(path, growth, emptied)):
                        return
        finally:
            with self._lock:
                self._behind.pop(path, None)


@contextmanager
def _harmless(path: Path) -> Generator[None]:
    try:
        yield
    except (OSError, LogDamaged) as error:
        _logger.debug("The index of %s stays behind: %s", path.name, error)
