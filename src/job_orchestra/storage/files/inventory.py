"""Every file that there is among the logs, whoever it is of."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from job_orchestra.domain.identifiers import NAME
from job_orchestra.storage.files.descriptors import make_durable, remove_empty_folders
from job_orchestra.storage.files.holding import held
from job_orchestra.storage.files.paths import compressed_path, index_path, log_path, part_path, read_path
from job_orchestra.storage.log_port import LogEntry, LogKey
from job_orchestra.storage.port import StorageUnavailable

_AT_ONCE = 500


class LogFileInventory:
    """Implements `storage.log_port.LogInventory`. Holds the names of one folder, with the runs of about 17 minutes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()

    async def entries(self) -> AsyncGenerator[list[LogEntry]]:
        walk = self._walk()
        while batch := await asyncio.to_thread(self._next, walk):
            yield batch

    async def has(self, entry: LogEntry) -> bool:
        return await asyncio.to_thread(os.path.lexists, self._directory / entry.file)

    async def remove_left_over(self, entry: LogEntry) -> bool:
        return await asyncio.to_thread(self._remove, entry)

    def _next(self, walk: Iterator[LogEntry]) -> list[LogEntry]:
        try:
            return list(islice(walk, _AT_ONCE))
        except OSError as error:
            raise StorageUnavailable(
                f"The log files in {self._directory} cannot be looked through: {error.strerror or error}."
            ) from error

    def _walk(self) -> Iterator[LogEntry]:
        """What stands beside the folders of projects is no matter of ours."""
        for project in _entries(self._directory):
            if NAME.fullmatch(project.name) and _is_folder(project):
                yield from self._walk_project(project)

    def _walk_project(self, project: os.DirEntry[str]) -> Iterator[LogEntry]:
        for first in _entries(project):
            if not _is_folder(first):
                yield self._stranger(first)
                continue
            for second in _entries(first):
                if _is_folder(second):
                    yield from self._walk_folder(project.name, (first.name, second.name), second)
                else:
                    yield self._stranger(second)

    def _walk_folder(self, project: str, names: tuple[str, str], folder: os.DirEntry[str]) -> Iterator[LogEntry]:
        for file in _entries(folder):
            found = read_path(project, names, file.name)
            if found is None or not file.is_file(follow_symlinks=False):
                yield self._stranger(file)
            else:
                key, form = found
                yield LogEntry(self._relative(file), key, bool(form) and self._is_left_over(key, Path(file)))

    def _remove(self, entry: LogEntry) -> bool:
        if entry.key is None or not entry.is_left_over:
            raise ValueError(f"this is not left over: {entry.file}")
        file = self._directory / entry.file
        with _left_over(log_path(self._directory, entry.key), file) as is_left_over:
            if is_left_over:
                file.unlink(missing_ok=True)
                make_durable(file.parent)
        remove_empty_folders(file.parent, self._directory)
        return is_left_over

    def _stranger(self, file: os.DirEntry[str]) -> LogEntry:
        return LogEntry(self._relative(file), None)

    def _is_left_over(self, key: LogKey, file: Path) -> bool:
        with _left_over(log_path(self._directory, key), file) as is_left_over:
            return is_left_over

    def _relative(self, file: os.DirEntry[str]) -> str:
        return str(Path(file).relative_to(self._directory))


@contextmanager
def _left_over(path: Path, file: Path) -> Generator[bool]:
    """Whether a compression of the log at `path` left this file there, or its deletion; none begins before the end.

    A compressed one beside the plain one is such a rest, for the plain one is read; alone it is the log. An index is
    such a rest where there is no log any more.
    """
    with held(path) as plain:
        is_alone = plain is None and not path.exists()
        if file == index_path(path):
            yield file.exists() and is_alone and not compressed_path(path).exists()
        else:
            yield file.exists() and (plain is not None or (is_alone and file == part_path(path)))


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:  # gone with its last log, in the meantime
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)
