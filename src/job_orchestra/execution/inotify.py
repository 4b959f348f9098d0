"""The kernel's notices of changed files, by the C library: just what following run directories needs."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

_library = ctypes.CDLL(None, use_errno=True)
_HEADER = struct.Struct("iIII")
_READ_SIZE = 64 << 10


class Change(IntFlag):
    MODIFIED = 0x2
    MOVED_IN = 0x80
    CREATED = 0x100
    OVERFLOWN = 0x4000
    """Notices were lost: look at everything."""
    UNWATCHED = 0x8000
    """The watch is gone, with its directory or by `unwatch`."""


@dataclass(frozen=True, slots=True)
class Notice:
    watch: int
    """-1 for an overflow."""
    change: int
    name: str


class Inotify:
    """Watches directories; readable (see `fileno`) when there are notices."""

    def __init__(self) -> None:
        self._descriptor = _checked(_library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), None)

    def fileno(self) -> int:
        return self._descriptor

    def watch(self, directory: Path, changes: Change) -> int:
        """OSError if there is no such directory, or the host's limit of watches is reached."""
        return _checked(
            _library.inotify_add_watch(self._descriptor, os.fsencode(directory), ctypes.c_uint32(changes)), directory
        )

    def unwatch(self, watch: int) -> None:
        """Of no effect if the watch is gone."""
        _library.inotify_rm_watch(self._descriptor, watch)

    def read(self) -> list[Notice]:
        """What has come so far, without waiting."""
        try:
            data = os.read(self._descriptor, _READ_SIZE)
        except BlockingIOError:
            return []
        notices: list[Notice] = []
        offset = 0
        while offset < len(data):
            watch, change, _, length = _HEADER.unpack_from(data, offset)
            offset += _HEADER.size
            notices.append(Notice(watch, change, os.fsdecode(data[offset : offset + length].rstrip(b"\0"))))
            offset += length
        return notices

    def close(self) -> None:
        os.close(self._descriptor)


def _checked(result: int, path: Path | None) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), None if path is None else str(path))
    return result
