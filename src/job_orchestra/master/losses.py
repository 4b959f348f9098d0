"""Runs whose worker is gone for too long, or came back without them: ended with the reason, or retried."""

from __future__ import annotations

import logging
from dataclasses import replace

from job_orchestra.domain.attempts import outcomes_of
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Ended
from job_orchestra.domain.late_reports import is_given_up
from job_orchestra.domain.losses import Loss, foresee_loss
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import Worker
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.intake import log_key
from job_orchestra.master.links import WorkerLinks
from job_orchestra.master.outage import Outage
from job_orchestra.master.run_news import RunNews
from job_orchestra.master.wishes import Wishes
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.workers import Workers, still_away
from job_orchestra.storage.log_port import LogStore
from job_orchestra.storage.port import Update

_logger = logging.getLogger(__name__)


class Losses:
    def __init__(
        self,
        *,
        queue: RunQueue,
        progress: RunProgress,
        late_reports: LateReports,
        workers: Workers,
        log_store: LogStore,
        links: WorkerLinks,
        wishes: Wishes,
        news: RunNews,
        outage: Outage,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._progress = progress
        self._late_reports = late_reports
        self._workers = workers
        self._log_store = log_store
        self._links = links
        self._wishes = wishes
        self._news = news
        self._outage = outage
        self._clock = clock

    async def look(self) -> None:
        """The runs of all workers that are gone, each judged by its job's policy."""
        # In this order: who registers between the two looks must not pass for deleted.
        names = await self._outage.outlast(self._queue.workers_with_runs)
        if not names:
            return
        workers = {worker.identifier: worker for worker in await self._outage.outlast(self._workers.all)}
        for name in sorted(names):
            worker = workers.get(name)
            if worker is None or not worker.is_connected:
                await self._judge(name, worker)

    async def _judge(self, name: str, worker: Worker | None) -> None:
        for run in await self._outage.outlast(lambda: self._queue.assigned_to(name)):
            if self._loss_by_now(run, worker) is None:
                continue
            # Once more, by what is known now: those before this one may have taken long, and the worker may be back.
            known = await self._outage.outlast(lambda: self._workers.find(name))
            loss = self._loss_by_now(run, known)
            if loss is not None:
                is_away = None if known is None else still_away(known)
                await self._give_up(run, Reason(ReasonCode.WORKER_LOST, loss.sentence), is_away)

    def _loss_by_now(self, run: Run, worker: Worker | None) -> Loss | None:
        loss = foresee_loss(run, worker)
        return loss if loss is not None and loss.at <= self._clock.now() else None

    async def give_up_missing(self, run: Run, provided: Update) -> None:
        """The worker had begun this run and has lost its directory, or part of it: nobody is left who could end it.

        `provided` says that the worker is still as it was when that came out.
        """
        sentence = f"Worker {run.worker} came back without the data of this run; the log may be incomplete."
        await self._give_up(run, Reason(ReasonCode.WORKER_LOST, sentence), provided)

    async def end_restarted(self, run: Run, provided: Update) -> None:
        """The worker's host was restarted while it had this run, and has lost a part of what it had reported."""
        sentence = "The worker's host was restarted while the run was being executed; the log may be incomplete."
        await self._give_up(run, Reason(ReasonCode.HOST_RESTARTED, sentence), provided)

    async def _give_up(self, run: Run, reason: Reason, provided: Update | None) -> None:
        # First, so that whatever happens in between, the worker is heard when it comes back.
        await self._outage.outlast(lambda: self._late_reports.expect(run))
        reach(FailPoint.MASTER_LATE_REPORT_EXPECTED)
        await self._end(run, reason, provided)
        # Which tells also what another master did, or a commit whose answer was lost.
        stored = await self._outage.outlast(lambda: self._queue.load(run.identifier))
        if stored is None or not is_given_up(stored, run.attempt):
            await self._outage.outlast(lambda: self._log_store.reopen([log_key(run)]))
            return
        reach(FailPoint.MASTER_LOSS_COMMITTED)
        _logger.warning("Attempt %d of run %s is given up: %s", run.attempt, run.identifier, reason.sentence)
        self._news.tell(stored)
        link = self._links.of(run)
        if link is not None and link.has(run):
            # It came back in the meantime: the next greeting takes the attempt for what it is now.
            link.dismiss("lost", f"Run {run.identifier} was given up in the meantime; connect again.")

    async def _end(self, run: Run, reason: Reason, provided: Update | None) -> None:
        """Its attempt, and the run with it if it is not retried; nothing if it is not as `run` says any more."""
        await self._outage.outlast(lambda: self._log_store.seal(log_key(run)))
        size, digest = await self._outage.outlast(lambda: self._log_store.sha256(log_key(run)))
        ended = Ended(run.journal_sequence + 1, self._clock.now(), RunStatus.EXCEPTION, reason, 0.0, size, digest)
        after = apply_event(run, ended)
        # No hash: it would claim that both sides had compared the log. No duration: nobody there measured it.
        after = replace(after, duration=None, log=replace(after.log, sha256=None))
        events = [event_to_record(ended)]
        for outcome in outcomes_of(after, self._clock.now()):
            if outcome.status.is_terminal:
                await self._wishes.before_end(outcome)
            if await self._outage.outlast(lambda outcome=outcome: self._progress.save(run, outcome, events, provided)):  # type: ignore[misc]
                return
