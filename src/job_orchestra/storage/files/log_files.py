"""The port for log bytes on the file system: a file for each attempt of a run, exactly the bytes of the log.

One that has ended may be a compressed file instead.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from job_orchestra.domain.log_places import LogPlace
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.storage.files.descriptors import Descriptors, make_durable, remove_empty_folders
from job_orchestra.storage.files.forms import LogForms
from job_orchestra.storage.files.index_growth import index_emptied
from job_orchestra.storage.files.log_indexes import LogIndexes
from job_orchestra.storage.files.paths import POSITION, all_paths, compressed_path, log_path
from job_orchestra.storage.files.place_finding import NotIndexed, PlaceFinder
from job_orchestra.storage.files.positions import read_position, write_position
from job_orchestra.storage.files.sealing import alone, is_sealed, set_seal, writing
from job_orchestra.storage.log_port import Compression, LogEnded, LogKey, LogPiece
from job_orchestra.storage.port import StorageUnavailable

T = TypeVar("T")

_OPEN_FILES = 256
_FILES_AT_ONCE = 128
"""Written one after the other and then made durable side by side: several such waits cost little more than one."""
_SYNCING_THREADS = 4


class LogFiles:
    """Implements `storage.log_port.LogStore`. One thread writes, so that pieces of one file never meet; others read."""

    def __init__(self, directory: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._directory = directory.absolute()
        self._descriptors = Descriptors(self._directory, _OPEN_FILES)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="log writer")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="log reader")
        self._syncing = ThreadPoolExecutor(_SYNCING_THREADS, thread_name_prefix="log sync")
        self._compressing = ThreadPoolExecutor(1, thread_name_prefix="log compression")
        self._forms = LogForms()
        self._indexes = LogIndexes(self._forms, now)
        self._closed = threading.Event()

    async def append(self, pieces: Sequence[LogPiece]) -> None:
        # A file's pieces stay in their order; each file is made durable once.
        by_path: dict[Path, list[LogPiece]] = {}
        for piece in pieces:
            by_path.setdefault(log_path(self._directory, piece.key), []).append(piece)
        if by_path:
            await self._in(self._writer, lambda: self._append(by_path))

    async def size(self, key: LogKey) -> int:
        path = log_path(self._directory, key)
        return await self._in(self._readers, lambda: self._forms.size(path))

    async def sizes(self, keys: Sequence[LogKey]) -> list[int]:
        paths = [log_path(self._directory, key) for key in keys]
        return await self._in(self._readers, lambda: [self._forms.size(path) for path in paths])

    async def read(self, key: LogKey, offset: int, limit: int) -> bytes:
        path = log_path(self._directory, key)
        if offset < 0 or limit < 0:
            raise ValueError(f"neither offset nor limit is negative: {offset}, {limit}")
        return await self._in(self._readers, lambda: self._forms.read(path, offset, limit))

    async def sha256(self, key: LogKey) -> tuple[int, str]:
        path = log_path(self._directory, key)
        return await self._in(self._readers, lambda: self._forms.sha256(path))

    async def place_at(self, key: LogKey, offset: int, *, is_patient: bool = True) -> LogPlace | None:
        path = log_path(self._directory, key)
        return await self._find(path, lambda finder: finder.at(path, offset), is_patient)

    async def place_of_line(self, key: LogKey, line: int) -> LogPlace | None:
        path = log_path(self._directory, key)
        return await self._find(path, lambda finder: finder.of_line(path, line))

    async def places(self, key: LogKey, start: int, end: int, limit: int) -> list[LogPlace]:
        path = log_path(self._directory, key)
        return await self._find(path, lambda finder: finder.between(path, start, end, limit)) or []

    async def seal(self, key: LogKey) -> None:
        path = log_path(self._directory, key)
        await self._in(self._writer, lambda: self._end(path))

    async def reopen(self, keys: Sequence[LogKey]) -> None:
        paths = [log_path(self._directory, key) for key in keys]
        await self._in(self._writer, lambda: self._reopen(paths))

    async def truncate(self, key: LogKey) -> None:
        path = log_path(self._directory, key)
        await self._in(self._writer, lambda: self._truncate(path))

    async def compress(self, key: LogKey, size: int, sha256: str) -> Compression:
        path = log_path(self._directory, key)
        return await self._in(self._compressing, lambda: self._compress(path, size, sha256))

    async def compression_position(self) -> str:
        return await self._in(self._readers, lambda: read_position(self._directory / POSITION))

    async def store_compression_position(self, position: str) -> None:
        await self._in(self._compressing, lambda: write_position(self._directory / POSITION, position))

    async def occupied(self, keys: Sequence[LogKey]) -> list[int]:
        paths = [log_path(self._directory, key) for key in keys]
        return await self._in(self._readers, lambda: [self._forms.occupied(path) for path in paths])

    async def delete(self, key: LogKey) -> None:
        path = log_path(self._directory, key)
        await self._in(self._writer, lambda: self._delete(path))

    async def close(self) -> None:
        is_first = not self._closed.is_set()
        self._closed.set()
        await asyncio.to_thread(self._compressing.shutdown)  # first, for it needs the writer
        if is_first:
            self._writer.submit(self._indexes.finish_all)
            self._writer.submit(self._descriptors.close_all)
        for executor in (self._writer, self._readers, self._syncing):
            await asyncio.to_thread(executor.shutdown)
        await asyncio.to_thread(self._indexes.close)

    async def _find(self, path: Path, look: Callable[[PlaceFinder], T], is_patient: bool = True) -> T | None:
        """None if the index is too far behind, and does not catch up in a moment."""
        with suppress(NotIndexed):
            return await self._in(self._readers, lambda: self._indexes.find(look))
        if not is_patient:
            self._indexes.begin_to_catch_up(path)
            return None
        await self._indexes.caught_up(path)
        with suppress(NotIndexed):
            return await self._in(self._readers, lambda: self._indexes.find(look))
        return None

    async def _in(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        self._check_open()
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, work)
        except OSError as error:
            raise StorageUnavailable(
                f"The log files in {self._directory} cannot be used: {error.strerror or error}."
            ) from error

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise StorageUnavailable("The log files were closed: this process is ending.")

    def _append(self, by_path: dict[Path, list[LogPiece]]) -> None:
        """All or nothing, as far as anybody is told: where it fails, every file gets back the size that it had."""
        grown: dict[Path, _Growth] = {}
        paths = [path for path, pieces in by_path.items() if not self._has_compressed(path, pieces)]
        try:
            for start in range(0, len(paths), _FILES_AT_ONCE):
                written: list[int] = []
                for path in paths[start : start + _FILES_AT_ONCE]:
                    descriptor = self._descriptors.writable(path)
                    with writing(descriptor) as facts:
                        if is_sealed(facts):
                            _check_within(facts.st_size, by_path[path])
                            continue
                        grown[path] = _Growth(facts.st_size, max(facts.st_size, _end(by_path[path])))
                        _write(descriptor, facts.st_size, by_path[path])
                        self._indexes.gather(path, facts.st_size, by_path[path])
                    written.append(descriptor)
                reach(FailPoint.STORAGE_LOG_WRITTEN)
                self._make_durable(written)
        except BaseException:
            self._take_back(grown)
            raise
        reach(FailPoint.STORAGE_LOG_STORED)
        self._indexes.write()

    def _has_compressed(self, path: Path, pieces: Sequence[LogPiece]) -> bool:
        """Whether the log has ended and is compressed, so that it has these bytes already."""
        if self._descriptors.is_open(path):
            return False
        size = self._forms.compressed_size(path)
        if size is None or path.exists():
            return False
        _check_within(size, pieces)
        return True

    def _make_durable(self, descriptors: Sequence[int]) -> None:
        if len(descriptors) == 1 and not self._indexes.is_busy:
            os.fdatasync(descriptors[0])
            return
        waits = [self._syncing.submit(os.fdatasync, descriptor) for descriptor in descriptors]
        self._indexes.look_through()
        wait(waits)  # all of them, before any file is taken back
        for one in waits:
            one.result()

    def _take_back(self, grown: dict[Path, _Growth]) -> None:
        for path, growth in grown.items():
            # What cannot even be shortened holds the bytes of the log all the same, only more of them.
            with suppress(OSError, StorageUnavailable):
                descriptor = self._descriptors.writable(path)
                with alone(descriptor, path.name) as facts:
                    # Another master may have gone on with the log meanwhile.
                    if facts.st_size <= growth.after and not is_sealed(facts):
                        os.ftruncate(descriptor, min(facts.st_size, growth.before))
            self._descriptors.close(path)
            self._indexes.forget(path)

    def _end(self, path: Path) -> None:
        self._seal(path, True)
        self._indexes.finish(path)

    def _seal(self, path: Path, is_set: bool) -> None:
        if path.exists():
            descriptor = self._descriptors.writable(path)
            with alone(descriptor, path.name) as facts:
                set_seal(descriptor, facts, is_set)

    def _reopen(self, paths: Sequence[Path]) -> None:
        for path in paths:
            with suppress(FileNotFoundError):
                if is_sealed(path.stat()):
                    self._seal(path, False)

    def _truncate(self, path: Path) -> None:
        self._indexes.emptied(path)
        with index_emptied(path):
            self._empty(path)

    def _empty(self, path: Path) -> None:
        if path.exists():
            descriptor = self._descriptors.writable(path)
            with alone(descriptor, path.name) as facts:
                os.ftruncate(descriptor, 0)
                set_seal(descriptor, facts, False)
            os.fdatasync(descriptor)
        if compressed_path(path).exists():
            compressed_path(path).unlink()
            make_durable(path.parent)

    def _compress(self, path: Path, size: int, sha256: str) -> Compression:
        from job_orchestra.storage.files.compressing import compress

        def forget() -> None:
            """So that a file that is removed is not kept open, and its room with it."""
            self._writer.submit(self._descriptors.close, path).result()

        return compress(path, size, sha256, self._check_open, forget)

    def _delete(self, path: Path) -> None:
        self._descriptors.close(path)
        self._indexes.forget(path)
        for one in all_paths(path):
            one.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            make_durable(path.parent)
        remove_empty_folders(path.parent, self._directory)


@dataclass(frozen=True, slots=True)
class _Growth:
    """Sizes of a file."""

    before: int
    after: int


def _end(pieces: Sequence[LogPiece]) -> int:
    return max(piece.offset + len(piece.data) for piece in pieces)


def _check_within(size: int, pieces: Sequence[LogPiece]) -> None:
    if _end(pieces) > size:
        raise LogEnded(f"The log of run {pieces[0].key.run} has ended with {size} bytes: nothing is appended to it.")


def _write(descriptor: int, size: int, pieces: Sequence[LogPiece]) -> None:
    """Also what is there already: after a power failure it might be there in size only."""
    for piece in pieces:
        if piece.offset > size:
            raise ValueError(f"the log of {piece.key} has {size} bytes, the piece begins at {piece.offset}")
        rest, place = memoryview(piece.data), piece.offset
        while rest:
            written = os.pwrite(descriptor, rest, place)
            place += written
            rest = rest[written:]
        size = max(size, place)
