"""Want of room on a disk, of descriptors, memory or processes.

It passes, and says nothing about what was asked for meanwhile.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import TypeVar

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
"""Of descriptors, memory and processes."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
LOOK_AGAIN = 1.0
"""Seconds: nothing tells when there is room again."""

T = TypeVar("T")


def is_want_of_room(error: OSError) -> bool:
    return error.errno in _FULL | SHORTAGES


async def when_there_is_room(act: Callable[[], T]) -> T:
    """What `act` returns, which may be called again and again; its OSError, if want of room is not the reason."""
    while True:
        try:
            return act()
        except OSError as error:
            if not is_want_of_room(error):
                raise
        await asyncio.sleep(LOOK_AGAIN)
