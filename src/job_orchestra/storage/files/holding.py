"""Only one at a time compresses a log, or clears away what was left of that: who has the lock of its plain file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path


@contextmanager
def held(path: Path) -> Generator[FileIO | None]:
    """The plain file, locked until the end; None if there is none, or somebody else has the lock."""
    try:
        file = path.open("r+b", buffering=0)  # not only to be read: some file systems lock no other
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file if _lock(file.fileno(), path) else None


def _lock(descriptor: int, path: Path) -> bool:
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who had the lock until now may have removed the file.
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
