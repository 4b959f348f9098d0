"""Answers that are sent while they come into being."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from job_orchestra.service.problems import HEADERS


class StreamedResponse(StreamingResponse):
    """Ends, too, when its reader goes away, however long nothing is to be sent."""

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        media_type: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(chunks, status, {**HEADERS, **(headers or {})}, media_type)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.wait({sending, leaving})
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        async with aclosing(self._chunks):
            await self.stream_response(send)


async def nothing() -> AsyncGenerator[bytes]:
    """The body of an answer to HEAD."""
    return
    yield b""
