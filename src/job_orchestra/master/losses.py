"""Runs that cannot go on where they were: ended with the reason, or put back."""

from __future__ import annotations

import logging
from dataclasses import replace

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Ended
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.intake import log_key
from job_orchestra.master.outage import Outage
from job_orchestra.master.services import ServiceLinks
from job_orchestra.protocol.control import RunChanged
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.storage.log_port import LogStore

_logger = logging.getLogger(__name__)


class Losses:
    def __init__(
        self, progress: RunProgress, log_store: LogStore, services: ServiceLinks, outage: Outage, clock: Clock
    ) -> None:
        self._progress = progress
        self._log_store = log_store
        self._services = services
        self._outage = outage
        self._clock = clock

    async def end_missing(self, run: Run) -> None:
        """The worker had begun this run and has lost its directory, or part of it: nobody is left who could end it."""
        size, digest = await self._outage.outlast(lambda: self._log_store.sha256(log_key(run)))
        reason = Reason(
            ReasonCode.WORKER_LOST,
            f"Worker {run.worker} came back without the data of this run; the log may be incomplete.",
        )
        now = self._clock.now()
        duration = (now - run.started_at).total_seconds() if run.started_at is not None else 0.0
        ended = Ended(run.journal_sequence + 1, now, RunStatus.EXCEPTION, reason, max(0.0, duration), size, digest)
        after = apply_event(run, ended)
        # No hash: it would claim that both sides had compared the log.
        after = replace(after, log=replace(after.log, sha256=None))
        if await self._outage.outlast(lambda: self._progress.save(run, after, [event_to_record(ended)])):
            reach(FailPoint.MASTER_LOSS_COMMITTED)
            _logger.warning("Run %s ended: %s", run.identifier, reason.sentence)
            self._services.tell(RunChanged(run.request.project, run.identifier, is_ended=True))
