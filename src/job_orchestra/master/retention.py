"""Rounds in which runs go whose retention is over: one when the master starts, and then one each hour."""

from __future__ import annotations

import asyncio
import logging

from job_orchestra.domain.identifiers import run_identifier_date
from job_orchestra.master.outage import Outage
from job_orchestra.repositories.pruning import Pruning, Tally, gently
from job_orchestra.repositories.retentions import JobRetention, Retentions

_logger = logging.getLogger(__name__)

_INTERVAL = 3600.0
"""Seconds from the end of a round to the next: an hour is little for a retention, which counts days."""


class RetentionRounds:
    def __init__(self, retentions: Retentions, pruning: Pruning, outage: Outage) -> None:
        self._retentions = retentions
        self._pruning = pruning
        self._outage = outage

    async def run(self) -> None:
        while True:
            try:
                await self._outage.outlast(self.round)
            except Exception:  # history that is kept for too long must not stop a master
                _logger.exception("A round of retention broke off; the next one goes on with it")
            await asyncio.sleep(_INTERVAL)

    async def round(self) -> None:
        """Each job's runs; an outage in the middle of it is Unavailable, and the round can be repeated."""
        finished = 0
        async for runs in gently(self._pruning.finish_interrupted()):
            finished = runs
        if finished:
            _logger.info("Retention: the removal of %d runs, which had been interrupted, is finished.", finished)
        for job in await self._retentions.all():
            await self._prune(job)

    async def _prune(self, job: JobRetention) -> None:
        tally = Tally(job.project, job.job)
        try:
            async for so_far in gently(self._pruning.prune(job)):
                tally = so_far
        finally:
            if tally.runs:
                _logger.info("Retention: %s", told(tally))


def told(tally: Tally) -> str:
    """For the log: whatever is gone can be found there by its time."""
    first, last = run_identifier_date(tally.first), run_identifier_date(tally.last)
    return (
        f"{tally.runs} {'run' if tally.runs == 1 else 'runs'} of {tally.project}/{tally.job} "
        f"triggered from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC "
        f"({tally.first} to {tally.last}) removed, with {tally.log_bytes} bytes of logs."
    )
