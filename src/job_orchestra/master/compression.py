"""Rounds in which the logs of ended runs are compressed: one when the master starts, and then one every ten minutes."""

from __future__ import annotations

import asyncio
import logging

from job_orchestra.domain.errors import Unavailable
from job_orchestra.repositories.log_compression import Compressed, LogCompression
from job_orchestra.repositories.pruning import gently

_logger = logging.getLogger(__name__)

_INTERVAL = 600.0
"""Seconds from the end of a round to the next: nobody waits for it."""


class CompressionRounds:
    def __init__(self, compression: LogCompression) -> None:
        self._compression = compression

    async def run(self) -> None:
        while True:
            try:
                await self._round()
            except Unavailable as error:  # no reason for others to wait: the next round goes on with it
                _logger.info("A round of compression broke off: %s", error)
            except Exception:  # logs that are not compressed must not stop a master
                _logger.exception("A round of compression broke off; the next one goes on with it")
            await asyncio.sleep(_INTERVAL)

    async def _round(self) -> None:
        done = Compressed()
        try:
            async for so_far in gently(self._compression.round()):
                done = so_far
        finally:
            if done.logs:
                _logger.info("Compression: %d logs compressed, %d bytes freed.", done.logs, done.freed)
