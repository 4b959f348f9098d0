"""Whether the disk of the logs still does what it is told."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from job_orchestra.storage.log_port import LogRoom


class LogFilePulse:
    """Implements `storage.log_port.LogPulse`. In a thread of its own: one that a dead disk holds serves nobody else."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log pulse")

    @property
    def place(self) -> str:
        return str(self._directory)

    async def beat(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._touch)

    def _touch(self) -> None:
        # Of the directory alone, so that no file appears among the logs; down to the disk, as with each of their bytes.
        with suppress(OSError):
            descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.utime(descriptor)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    async def room(self) -> LogRoom | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look)

    def _look(self) -> LogRoom | None:
        with suppress(OSError):
            there = next(path for path in (self._directory, *self._directory.parents) if path.exists())
            found = os.statvfs(there)
            return LogRoom(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)
        return None

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
