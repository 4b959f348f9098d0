"""Writing to journal and log: a full disk makes the run wait, and loses nothing."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_FULL = {errno.ENOSPC, errno.EDQUOT}
_LOOK_AGAIN = 1.0
"""Nothing tells when there is room again."""

T = TypeVar("T")


async def append(descriptor: int, content: bytes) -> None:
    """All of the content, in one write where the disk takes it."""
    while content:
        content = content[await when_there_is_room(lambda rest=content: os.write(descriptor, rest)) :]  # type: ignore[misc]


async def open_file(path: Path, flags: int) -> int:
    """Its descriptor, also where it has to be made first; OSError if something else than want of room prevents that."""
    return await when_there_is_room(lambda: os.open(path, flags | os.O_CLOEXEC, 0o600))


async def when_there_is_room(write: Callable[[], T]) -> T:
    """What `write` returns, which may be called again and again; its OSError, if want of room is not the reason."""
    while True:
        try:
            return write()
        except OSError as error:
            if error.errno not in _FULL:
                raise
        await asyncio.sleep(_LOOK_AGAIN)
