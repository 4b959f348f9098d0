"""What was received over a connection and is not handled yet: bounded, so that who sends too much has to wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

_MOST_FRAMES = 64
_MOST_BYTES = 32 << 20
_AT_ONCE = 32


class Inbox:
    """One task puts, one takes."""

    def __init__(self) -> None:
        self._frames: deque[bytes | str] = deque()
        self._bytes = 0
        self._is_closed = False
        self._changed = asyncio.Event()

    async def put(self, frame: bytes | str) -> None:
        """Returns when there is room for another one."""
        self._frames.append(frame)
        self._bytes += len(frame)
        self._changed.set()
        while len(self._frames) >= _MOST_FRAMES or self._bytes >= _MOST_BYTES:
            await self._change()

    def close(self) -> None:
        """Nothing more comes; what is there can still be taken."""
        self._is_closed = True
        self._changed.set()

    async def take(self) -> list[bytes | str]:
        """Some of the frames in their order, at least one; none at the end."""
        while not self._frames and not self._is_closed:
            await self._change()
        taken = list(self._oldest())
        self._changed.set()
        return taken

    def _oldest(self) -> Iterator[bytes | str]:
        for _ in range(min(_AT_ONCE, len(self._frames))):
            frame = self._frames.popleft()
            self._bytes -= len(frame)
            yield frame

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
