"""Where tests keep their files and databases: in memory, where there is room for them.

Databases and logs wait for the disk at each commit, and tests make far more of these than anything else does. What was
written outlives the process that wrote it there, too, so that killing one shows the same.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")
_NEEDED = 4 << 30
"""Bytes; the whole suite, with three processes, takes less than half of that."""


def use_memory() -> None:
    """For this process and those that it starts. Nothing changes where TMPDIR says something else, or room is short."""
    if "TMPDIR" not in os.environ and _has_room(_SHARED_MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(_SHARED_MEMORY)


def _has_room(folder: Path) -> bool:
    if not os.access(folder, os.W_OK):
        return False
    disk = os.statvfs(folder)
    is_usable = not disk.f_flag & (os.ST_NOEXEC | os.ST_RDONLY)  # programs are executed there, too
    return is_usable and min(disk.f_bavail * disk.f_frsize, _free_memory()) >= _NEEDED


def _free_memory() -> int:
    """Bytes that can be had without swapping."""
    found = re.search(r"^MemAvailable: *(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) << 10 if found else 0
