"""What this process has from its parent, and what comes to it from below."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from collections.abc import Container, Generator

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """From now on descendants whose parents end become children of this process, and not of the first one."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class DescriptorLimit:
    """Raises the limit of this process to what the system lets it have; what it starts gets the one it was given."""

    def __init__(self) -> None:
        self._given, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    @contextlib.contextmanager
    def as_given(self) -> Generator[None]:
        """For what is started meanwhile."""
        now = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(self._given, now[1]), now[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, now)


def keep_only(descriptors: Container[int]) -> None:
    """Closes whatever else was inherited, so that no command gets it."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 -- a list, made before any is closed
        if int(name) not in descriptors:
            with contextlib.suppress(OSError):
                os.close(int(name))
