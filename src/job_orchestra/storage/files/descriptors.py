"""Open files of logs that grow at the moment; those not used for longest are closed when there are too many."""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from job_orchestra.fail_points import FailPoint, reach

_TRIES = 10


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
        for _ in range(_TRIES):
            # Another process may find the folder empty, and remove it, before the file is in it.
            with suppress(FileNotFoundError):
                return _create(path, flags)
        return _create(path, flags)


def _create(path: Path, flags: int) -> int:
    named_in = _create_folders(path.parent)
    descriptor = os.open(path, flags | os.O_CREAT, 0o600)
    reach(FailPoint.STORAGE_LOG_CREATED)
    for folder in (path.parent, *named_in):
        make_durable(folder)
    return descriptor


def remove_empty_folders(folder: Path, root: Path) -> None:
    """The folder and those above it, as far as nothing is in them; `root` stays."""
    with suppress(OSError):  # as a rule because there is something in it
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def _create_folders(folder: Path) -> list[Path]:
    """The folder and those above it; answers with those in which the names of new ones are to be made durable."""
    missing: list[Path] = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
    return [one.parent for one in missing]


def make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
