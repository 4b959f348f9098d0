"""Writing to journal and log: a full disk makes the run wait, and loses nothing."""

from __future__ import annotations

import os
from pathlib import Path

from job_orchestra.execution.room import when_there_is_room
from job_orchestra.execution.run_files import open_run_file


async def append(descriptor: int, content: bytes) -> None:
    """All of the content, in one write where the disk takes it."""
    while content:
        content = content[await when_there_is_room(lambda rest=content: os.write(descriptor, rest)) :]  # type: ignore[misc]


async def open_file(path: Path, flags: int) -> int:
    """Its descriptor, also where it has to be made first; OSError if something else than want of room prevents that."""
    return await when_there_is_room(lambda: open_run_file(path, flags))
