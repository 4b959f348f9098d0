"""What is to be said over a connection: posted without waiting, sent in as few frames as possible, bounded."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

from job_orchestra.protocol.codec import Message, encode_frames
from job_orchestra.protocol.connection import ConnectionLost, FrameConnection

M = TypeVar("M", bound=Message)

_MOST_MESSAGES = 20_000
"""An outbox that is fuller belongs to a connection that does not move: it is closed, and a new one resumes."""


class Outbox(Generic[M]):
    def __init__(self, connection: FrameConnection) -> None:
        self._connection = connection
        self._messages: list[M] = []
        self._wake = asyncio.Event()
        self.is_closed = False

    def post(self, message: M) -> None:
        """Sent soon, in order; forgotten if the outbox is closed or the connection breaks."""
        if self.is_closed:
            return
        self._messages.append(message)
        if len(self._messages) > _MOST_MESSAGES:
            self._messages.clear()
            self.close()
        self._wake.set()

    def close(self) -> None:
        """Takes nothing more; `flush` sends what is there, closes the connection and returns. May be called twice."""
        self.is_closed = True
        self._wake.set()

    async def flush(self) -> None:
        """Sends until the outbox is closed or the connection is lost; then the connection is closed."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                messages, self._messages = self._messages, []
                for frame in encode_frames(messages):
                    await self._connection.send_frame(frame)
                if self.is_closed and not self._messages:
                    break
        except ConnectionLost:
            pass
        finally:
            self.is_closed = True
            await self._connection.close()
