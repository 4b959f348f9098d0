"""Open files of logs that grow at the moment; those not used for longest are closed when there are too many."""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from job_orchestra.fail_points import FailPoint, reach

_TRIES = 10
_MOST_REMEMBERED = 10_000


class Descriptors:
    """For one thread. `root` has all the files in it, at whatever depth."""

    def __init__(self, root: Path, most: int) -> None:
        self._root = root
        self._most = most
        self._open: OrderedDict[Path, int] = OrderedDict()
        self._durable: set[Path] = set()
        """Folders whose names this process has made durable: one that died might have left it undone."""

    def writable(self, path: Path) -> int:
        """Of a file that is created if need be, its name durable, and its folders likewise."""
        descriptor = self._open.pop(path, None)
        if descriptor is None:
            while len(self._open) >= self._most:
                os.close(self._open.popitem(last=False)[1])
            descriptor = self._open_or_create(path)
        self._open[path] = descriptor
        return descriptor

    def is_open(self, path: Path) -> bool:
        return path in self._open

    def close(self, path: Path) -> None:
        descriptor = self._open.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def close_all(self) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def _open_or_create(self, path: Path) -> int:
        for _ in range(_TRIES):
            # Another process may find the folder empty, and remove it, before the file is in it.
            with suppress(FileNotFoundError):
                return self._created(path)
        return self._created(path)

    def _created(self, path: Path) -> int:
        self._create_folders(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            reach(FailPoint.STORAGE_LOG_CREATED)
            make_durable(path.parent)
            self._make_folders_durable(path.parent)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _create_folders(self, folder: Path) -> None:
        missing: list[Path] = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)
            self._durable.discard(one)
            if one == self._root or one in self._root.parents:
                make_durable(one.parent)

    def _make_folders_durable(self, folder: Path) -> None:
        if len(self._durable) > _MOST_REMEMBERED:
            self._durable.clear()
        while folder != self._root and folder not in self._durable:
            make_durable(folder.parent)
            self._durable.add(folder)
            folder = folder.parent


def remove_empty_folders(folder: Path, root: Path) -> None:
    """The folder and those above it, as far as nothing is in them; `root` stays."""
    with suppress(OSError):  # as a rule because there is something in it
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
