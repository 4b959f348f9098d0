"""A file system of its own that is small enough to be filled, mounted where every process sees it, as root only.

For databases, which look where a path really leads; for anything else there is `small_disk`, which needs no root."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def small_disk(place: Path, size: int) -> Generator[Path]:
    """A tmpfs of `size` bytes at `place`; the test is skipped where this process may not mount."""
    place.mkdir()
    options = f"size={size},mode=0777".encode()
    if _libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", 0, options) != 0:
        pytest.skip(f"a full disk needs a file system of its own: {os.strerror(ctypes.get_errno())}")
    try:
        yield place
    finally:
        _libc.umount2(os.fsencode(place), _DETACH)


@contextmanager
def filled(disk: Path, leave: int = 0) -> Generator[None]:
    """Nothing more goes onto the disk than `leave` bytes, until the block ends."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            with suppress(OSError):
                while file.write(b"x" * 4096) == 4096:
                    pass
            if leave:
                file.truncate(file.tell() - leave)
        yield
    finally:
        filler.unlink()
