"""Logs that have ended are sealed: nobody appends to them any more, another master that is late least of all.

The sticky bit of a file says so; it means nothing else on files. Who looks at it and writes, or sets it, holds a lock
on the file meanwhile: without that, a process that was stopped in between would write behind the seal when it goes on.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager

from job_orchestra.storage.port import StorageUnavailable


@contextmanager
def writing(descriptor: int) -> Generator[os.stat_result]:
    """What the file is like, as long as it is written. Several may at once; BlockingIOError if somebody is alone."""
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    try:
        yield os.fstat(descriptor)
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def alone(descriptor: int, name: str) -> Generator[os.stat_result]:
    """Likewise, while nobody else writes; StorageUnavailable if somebody does."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StorageUnavailable(f"The log file {name} is being written by another master, which is slow.") from None
    try:
        yield os.fstat(descriptor)
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_sealed(facts: os.stat_result) -> bool:
    return bool(facts.st_mode & stat.S_ISVTX)


def set_seal(descriptor: int, facts: os.stat_result, is_set: bool) -> None:
    if is_sealed(facts) != is_set:
        os.fchmod(descriptor, stat.S_IMODE(facts.st_mode) ^ stat.S_ISVTX)
