"""Which master holds a worker's connection: each says so of its own now and then, and is taken for gone if it does not.

Only so is the name of a worker free again whose master never comes back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from job_orchestra.domain.clock import Clock
from job_orchestra.master.outage import Outage
from job_orchestra.repositories.workers import Workers

_logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=5)
"""Between two renewals."""
LEASE = timedelta(seconds=30)
"""Without a renewal, after which a hold counts no more. The clocks of masters differ by less."""


class Holds:
    def __init__(
        self, master: str, workers: Workers, held: Callable[[], Sequence[str]], outage: Outage, clock: Clock
    ) -> None:
        """`held` names the workers whose connections are here; a record alone may have outlived a master that died."""
        self._master = master
        self._workers = workers
        self._held = held
        self._outage = outage
        self._clock = clock
        self._renewed_at = datetime.min.replace(tzinfo=UTC)
        self._renewing_since = self._renewed_at

    async def look(self) -> None:
        """Renews the holds of this master, and frees workers whose hold no master has renewed for too long."""
        if timedelta() <= self._clock.now() - self._renewed_at < INTERVAL:
            return
        await self._outage.outlast(lambda: self._workers.renew_holds(self._master, self._held()))
        now = self._clock.now()
        if not timedelta() <= now - self._renewed_at < LEASE / 2:
            # At the start, and after an outage: others may have been kept from renewing as this one was.
            self._renewing_since = now
        self._renewed_at = now
        if now - self._renewing_since < LEASE:
            return
        for worker in await self._outage.outlast(lambda: self._workers.free_abandoned(now - LEASE)):
            _logger.warning("Worker %s is taken for disconnected: no master holds its connection.", worker)
