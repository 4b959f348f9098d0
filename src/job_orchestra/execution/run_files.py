"""Opening the files of a run directory, in whose place its commands may have put anything.

A pipe that nobody writes into is not waited for, a link not followed, and nothing else taken for the file.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from job_orchestra.execution.removal import remove_tree

_SAFELY = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
_OTHERS = frozenset({errno.ELOOP, errno.ENXIO, errno.EISDIR})
"""What the kernel says of a link, of a pipe or socket, and of a directory."""
_MOST = 64 << 20
_PIECE = 1 << 20


class NoRegularFile(OSError):
    """Something else has the name of the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "it is no regular file", os.fspath(path))


def open_run_file(path: Path, flags: int) -> int:
    """A descriptor, never waited for; NoRegularFile if something else is there, or the OSError of `os.open`."""
    try:
        descriptor = os.open(path, flags | _SAFELY, 0o600)
    except OSError as error:
        raise (NoRegularFile(path) if error.errno in _OTHERS else error) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NoRegularFile(path)
    return descriptor


def size_of_run_file(path: Path) -> int:
    """In bytes; raises what `open_run_file` does."""
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise NoRegularFile(path)
    return facts.st_size


def read_run_file(path: Path, most: int = _MOST) -> bytes:
    """The content; raises what `open_run_file` does, and OSError if it has more bytes than `most`."""
    descriptor = open_run_file(path, os.O_RDONLY)
    try:
        content = b""
        while piece := os.read(descriptor, _PIECE):
            content += piece
            if len(content) > most:
                raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", os.fspath(path))
        return content
    finally:
        os.close(descriptor)


def make_way(path: Path) -> None:
    """What is no regular file does not have the name any more."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            remove_tree(path)
        elif not stat.S_ISREG(mode):
            path.unlink()
