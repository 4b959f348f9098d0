"""Want of room on a disk, of descriptors or memory: it passes, and says nothing about what was asked for meanwhile."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import TypeVar

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Of descriptors and memory."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_LOOK_AGAIN = 1.0
"""Nothing tells when there is room again."""

T = TypeVar("T")


async def when_there_is_room(act: Callable[[], T]) -> T:
    """What `act` returns, which may be called again and again; its OSError, if want of room is not the reason."""
    while True:
        try:
            return act()
        except OSError as error:
            if error.errno not in _FULL | SHORTAGES:
                raise
        await asyncio.sleep(_LOOK_AGAIN)
