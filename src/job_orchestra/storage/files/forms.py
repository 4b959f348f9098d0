"""What is stored of a log, whichever form its file has. `path` is where the plain one is, or was.

The compressed file has its name before the plain one is removed: who does not find this one finds that one.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from job_orchestra.storage.files.paths import all_paths, compressed_path

if TYPE_CHECKING:
    from job_orchestra.storage.files.compressed import CompressedLogs


class LogForms:
    """For several threads. Nothing is open between two calls."""

    @cached_property
    def _compressed(self) -> CompressedLogs:
        # Where no log is compressed, the library need not be there in time, nor in memory.
        from job_orchestra.storage.files.compressed import CompressedLogs

        return CompressedLogs()

    def size(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return self.compressed_size(path) or 0

    def compressed_size(self, path: Path) -> int | None:
        """Of the log in its compressed form; None if there is none."""
        compressed = compressed_path(path)
        if not compressed.exists():
            return None
        try:
            return self._compressed.size(compressed)
        except FileNotFoundError:
            return None

    def read(self, path: Path, offset: int, limit: int) -> bytes:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return self._read_compressed(compressed_path(path), offset, limit)
        try:
            return os.pread(descriptor, limit, offset)
        finally:
            os.close(descriptor)

    def sha256(self, path: Path) -> tuple[int, str]:
        try:
            with path.open("rb", buffering=0) as file:
                digest = hashlib.file_digest(file, "sha256")
                return file.tell(), digest.hexdigest()
        except FileNotFoundError:
            return self._sha256_compressed(compressed_path(path))

    def occupied(self, path: Path) -> int:
        """The bytes of all files that there are of the log."""
        occupied = 0
        for one in all_paths(path):
            with suppress(FileNotFoundError):
                occupied += one.stat().st_size
        return occupied

    def _read_compressed(self, compressed: Path, offset: int, limit: int) -> bytes:
        if compressed.exists():
            with suppress(FileNotFoundError):
                return self._compressed.read(compressed, offset, limit)
        return b""

    def _sha256_compressed(self, compressed: Path) -> tuple[int, str]:
        if compressed.exists():
            with suppress(FileNotFoundError):
                return self._compressed.sha256(compressed)
        return 0, hashlib.sha256().hexdigest()
