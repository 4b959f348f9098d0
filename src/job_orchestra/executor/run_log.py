from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from job_orchestra.execution.log_end import LogEnd, measure_log
from job_orchestra.execution.process_tree import LogFile
from job_orchestra.execution.run_files import make_way
from job_orchestra.executor.appending import append, open_file

_PREFIX = "[orchestra] "
_SMALL = 64 << 10
"""Up to here a log is read faster than a thread is asked to."""
_PIECE = 1 << 20


class RunLog:
    """The log of a run, which is also standard output and error of its commands; always appended to.

    It is the file that was opened first, whatever commands do to its name.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    async def open(cls, path: Path) -> Self:
        return cls(path, await open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND))

    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    @property
    def file(self) -> LogFile:
        facts = os.fstat(self._descriptor)
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
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            # The output of a command did not end in a newline.
            content = b"\n" + content
        await append(self._descriptor, content)

    @contextmanager
    def output(self) -> Generator[int]:
        """A descriptor for a command to write to. What it does to that (F_SETFL) is not done to the others' ones."""
        descriptor = os.open(f"/proc/self/fd/{self._descriptor}", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def cut(self, size: int) -> None:
        """What is behind it is gone; nothing of the run may be writing."""
        os.ftruncate(self._descriptor, size)

    async def end(self) -> LogEnd:
        """Nothing may be written any more."""
        try:
            if not self._has_its_name():
                await self._put_back()
            if self.size <= _SMALL:
                return measure_log(self._descriptor)
            return await asyncio.to_thread(measure_log, self._descriptor)
        finally:
            os.close(self._descriptor)

    def _has_its_name(self) -> bool:
        try:
            named = os.lstat(self._path)
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(self._descriptor))

    async def _put_back(self) -> None:
        """A command has removed or replaced the log: what was written gets its name again, in a file of its own."""
        draft = self._path.with_name(".log")
        make_way(self._path)
        make_way(draft)
        descriptor = await open_file(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            offset = 0
            while piece := os.pread(self._descriptor, _PIECE, offset):
                await append(descriptor, piece)
                offset += len(piece)
                await asyncio.sleep(0)
        finally:
            os.close(descriptor)
        draft.rename(self._path)
