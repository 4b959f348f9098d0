"""What this process has from its parent, and what comes to it from below."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Container

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """From now on descendants whose parents end become children of this process, and not of the first one."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def keep_only(descriptors: Container[int]) -> None:
    """Closes whatever else was inherited, so that no command gets it."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 -- a list, made before any is closed
        if int(name) not in descriptors:
            with contextlib.suppress(OSError):
                os.close(int(name))
