"""Appending to journal and log: a full disk makes the run wait, and loses nothing."""

from __future__ import annotations

import asyncio
import errno
import os

_FULL = {errno.ENOSPC, errno.EDQUOT}
_LOOK_AGAIN = 1.0
"""Nothing tells when there is room again."""


async def append(descriptor: int, content: bytes) -> None:
    """All of the content, in one write where the disk takes it."""
    while content:
        try:
            content = content[os.write(descriptor, content) :]
        except OSError as error:
            if error.errno not in _FULL:
                raise
            await asyncio.sleep(_LOOK_AGAIN)
