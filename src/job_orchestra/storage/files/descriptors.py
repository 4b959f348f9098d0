"""Open files of logs that grow at the moment; those not used for longest are closed when there are too many."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

from job_orchestra.fail_points import FailPoint, reach


class Descriptors:
    """For one thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: OrderedDict[Path, int] = OrderedDict()

    def writable(self, path: Path) -> int:
        """Of a file that is created if need be, its name durable, and its folders likewise."""
        descriptor = self._open.pop(path, None)
        if descriptor is None:
            while len(self._open) >= self._most:
                os.close(self._open.popitem(last=False)[1])
            descriptor = _open(path)
        self._open[path] = descriptor
        return descriptor

    def close(self, path: Path) -> None:
        descriptor = self._open.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def close_all(self) -> None:
        while self._open:
            os.close(self._open.popitem()[1])


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        _create_folder(path.parent)
        descriptor = os.open(path, flags | os.O_CREAT, 0o600)
        reach(FailPoint.STORAGE_LOG_CREATED)
        make_durable(path.parent)
        return descriptor


def _create_folder(folder: Path) -> None:
    """With those above it; each one's name is durable in the one above."""
    if folder.is_dir():
        return
    _create_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    make_durable(folder.parent)


def make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
