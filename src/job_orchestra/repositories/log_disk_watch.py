"""Watches whether the disk of the logs answers: one that hangs raises no error, and would be noticed by nobody."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from job_orchestra.storage.log_port import LogPulse, LogRoom

_logger = logging.getLogger(__name__)

_INTERVAL = 5.0
_PATIENCE = 5.0
"""Seconds that a disk may take; a busy one needs one now and then."""


class LogDiskWatch:
    def __init__(self, pulse: LogPulse, patience: float = _PATIENCE) -> None:
        self._pulse = pulse
        self._patience = patience
        self._asked_at: float | None = None
        """When the disk was asked that does not answer."""

    @property
    def reasons(self) -> list[str]:
        """What is waited for, in a sentence; empty while the disk answers."""
        if self._asked_at is None:
            return []
        silence = asyncio.get_running_loop().time() - self._asked_at
        return [f"The disk of the log files in {self._pulse.place} has not answered for {silence:.0f} seconds."]

    @property
    def place(self) -> str:
        """Where the logs are."""
        return self._pulse.place

    async def room(self) -> LogRoom | None:
        """None if nobody knows, or the disk does not answer."""
        if self._asked_at is not None:
            return None
        try:
            async with asyncio.timeout(self._patience):
                return await self._pulse.room()
        except TimeoutError:
            return None

    async def run(self) -> NoReturn:
        """Until it is cancelled. A disk that does not answer is asked nothing more before it does."""
        while True:
            await self._look()
            await asyncio.sleep(_INTERVAL)

    async def _look(self) -> None:
        asked_at = asyncio.get_running_loop().time()
        beat = asyncio.ensure_future(self._pulse.beat())
        try:
            await asyncio.wait([beat], timeout=self._patience)
            if not beat.done():
                self._asked_at = asked_at
                _logger.warning("Waiting for the logs: %s", *self.reasons)
                await beat
                _logger.info("The disk of the log files answers again.")
        finally:
            self._asked_at = None
            beat.cancel()
