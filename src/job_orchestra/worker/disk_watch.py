"""Whether the worker's disk has room, looked at now and then: nothing tells."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

_logger = logging.getLogger(__name__)

_INTERVAL = 5.0
_LEAST = 1 << 20
"""Bytes: with less than that a disk counts as full."""


class DiskWatch:
    """`on_changed` hears what the worker has when its disk becomes full, and nothing when there is room again."""

    def __init__(self, directory: Path, on_changed: Callable[[str], None], interval: float = _INTERVAL) -> None:
        self._directory = directory
        self._on_changed = on_changed
        self._interval = interval
        self._is_full = False

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(self._interval)

    def look(self) -> None:
        free = _free(self._directory)
        if free is None or (free < _LEAST) == self._is_full:
            return
        self._is_full = not self._is_full
        if self._is_full:
            _logger.error("The disk of %s is full (%d bytes are free): runs wait for room.", self._directory, free)
        else:
            _logger.info("The disk of %s has room again: runs go on.", self._directory)
        self._on_changed(f"has a full disk ({free:,} bytes are free)" if self._is_full else "")


def _free(directory: Path) -> int | None:
    """Bytes that this user may still write; none without inodes. None if that cannot be found out."""
    try:
        facts = os.statvfs(directory)
    except OSError:
        return None
    if facts.f_files and not facts.f_favail:
        return 0
    return facts.f_bavail * facts.f_frsize
