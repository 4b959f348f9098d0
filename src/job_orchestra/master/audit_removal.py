"""Rounds in which old entries of the audit trail go: one when the master starts, and then one each hour."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import NoReturn

from job_orchestra.domain.clock import Clock
from job_orchestra.master.outage import Outage
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.pruning import gently

_logger = logging.getLogger(__name__)

_INTERVAL = 3600.0


class AuditRemoval:
    def __init__(self, audit: Audit, days: int, outage: Outage, clock: Clock) -> None:
        self._audit = audit
        self._days = days
        self._outage = outage
        self._clock = clock

    async def run(self) -> NoReturn:
        """Until it is cancelled."""
        while True:
            await self._outage.outlast(self.round)
            await asyncio.sleep(_INTERVAL)

    async def round(self) -> None:
        """May break off, and be repeated."""
        removed = 0
        async for so_far in gently(self._audit.prune(self._clock.now() - timedelta(days=self._days))):
            removed = so_far
        if removed:
            _logger.info("Audit trail: %d entries older than %d days are removed.", removed, self._days)
