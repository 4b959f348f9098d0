from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from job_orchestra.execution.log_end import LogEnd, read_log_end
from job_orchestra.execution.process_tree import LogFile
from job_orchestra.executor.appending import append, open_file

_PREFIX = "[orchestra] "
_SMALL = 64 << 10
"""Up to here a log is read faster than a thread is asked to."""


class RunLog:
    """The log of a run, which is also standard output and error of its commands; always appended to."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self.descriptor = descriptor

    @classmethod
    async def open(cls, path: Path) -> Self:
        return cls(path, await open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND))

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    @property
    def file(self) -> LogFile:
        facts = os.fstat(self.descriptor)
        return LogFile(facts.st_dev, facts.st_ino)

    async def say(self, sentence: str) -> None:
        """A line of the host itself."""
        await self._append(sentence.replace("\r", "\\r").replace("\n", "\\n"))

    async def show(self, arguments: Sequence[str]) -> None:
        """A command as one would type it, which may have several lines."""
        await self._append(f"$ {shlex.join(arguments)}")

    async def _append(self, text: str) -> None:
        content = f"{_PREFIX}{text}\n".encode(errors="surrogateescape")
        size = self.size
        if size and os.pread(self.descriptor, 1, size - 1) != b"\n":
            # The output of a command did not end in a newline.
            content = b"\n" + content
        await append(self.descriptor, content)

    async def end(self) -> LogEnd:
        """Nothing may be written any more."""
        os.close(self.descriptor)
        if self._path.stat().st_size <= _SMALL:
            return read_log_end(self._path)
        return await asyncio.to_thread(read_log_end, self._path)
