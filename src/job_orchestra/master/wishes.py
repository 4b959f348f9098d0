"""Carries out what users asked for (cancel, abort, the switches of workers), and cancels what waited for too long.

What is asked of a run is passed on to the runs that are bound to it, before it comes to its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from job_orchestra.domain.bound_runs import is_passed_on, wisher
from job_orchestra.domain.errors import Conflict, NotFound
from job_orchestra.domain.identifiers import first_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.dispatcher import Dispatcher
from job_orchestra.master.links import WorkerLinks
from job_orchestra.master.outage import Outage
from job_orchestra.master.run_news import RunNews
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.workers import Workers

_logger = logging.getLogger(__name__)

_PAGE = 500
_AT_ONCE = 200


class Wishes:
    def __init__(
        self,
        runs: Runs,
        bound_runs: BoundRuns,
        queue: RunQueue,
        workers: Workers,
        links: WorkerLinks,
        dispatcher: Dispatcher,
        news: RunNews,
        outage: Outage,
    ) -> None:
        self._runs = runs
        self._bound_runs = bound_runs
        self._queue = queue
        self._workers = workers
        self._links = links
        self._dispatcher = dispatcher
        self._news = news
        self._outage = outage

    async def look_at_run(self, run: str) -> None:
        """A user asked to cancel or abort this run."""
        found = await self._outage.outlast(lambda: self._queue.load(run))
        if found is not None:
            await self._carry_out(found)

    async def look_at_all_runs(self) -> None:
        """The safety poll: wishes whose hint was lost."""
        for run in await self._outage.outlast(lambda: self._queue.wished(_PAGE)):
            await self._carry_out(run)

    async def stop_all(self, runs: Sequence[Run], by: str) -> None:
        """Asks that these stop, as a user does: durable when it returns, and being carried out."""
        for start in range(0, len(runs), _AT_ONCE):
            await asyncio.gather(*(self._stop(run, by) for run in runs[start : start + _AT_ONCE]))

    async def _stop(self, run: Run, by: str) -> None:
        try:
            wished = await self._outage.outlast(
                lambda: self._runs.request_abort(run.request.project, run.identifier, by)
            )
        except (Conflict, NotFound):
            return  # It has ended just now, which is told as any end, and may be kept no longer.
        self._news.tell(wished)
        await self._carry_out(wished)

    async def before_end(self, run: Run) -> None:
        """Called before this end of a run is committed: nobody looks for those that are bound to it afterwards."""
        if is_passed_on(run):
            await self._outage.outlast(lambda: self._bound_runs.close_door(run))
            reach(FailPoint.MASTER_DOOR_CLOSED)
            await self._pass_on(run)
            reach(FailPoint.MASTER_ABORT_PASSED_ON)

    async def _pass_on(self, run: Run) -> None:
        if not is_passed_on(run):
            return
        place: str | None = None
        while True:
            page = await self._outage.outlast(lambda after=place: self._bound_runs.bound_to(run, after))  # type: ignore[misc]
            await self.stop_all(page.to_stop, wisher(run.identifier))
            if page.place is None:
                return
            place = page.place

    async def _carry_out(self, run: Run) -> None:
        if run.status is RunStatus.PENDING and run.worker is None and run.should_cancel:
            # An attempt before this one may have triggered some.
            await self._pass_on(run)
            reason = Reason(ReasonCode.CANCEL_REQUESTED, f"Cancelled by {run.wished_by} before it started.")
            await self._cancel(run, reason)
            return
        is_wished = run.should_cancel if run.status is RunStatus.PENDING else run.should_abort
        if not is_wished or run.status.is_terminal:
            return
        link = self._links.of(run)
        if link is not None:  # else its worker is away, and the next greeting repeats the wish
            reach(FailPoint.MASTER_ABORT_READ)
            link.abort(run)
        await self._pass_on(run)

    async def expire(self, created_before: datetime, lifetime: int) -> None:
        """Cancels the runs that no worker took in time: their job's, else the lifetime of all others."""
        boundary = first_run_identifier(to_microseconds(created_before) // 1000)
        for run in await self._outage.outlast(lambda: self._queue.pending_before(boundary, _PAGE)):
            await self._cancel(run, Reason(ReasonCode.EXPIRED, f"No worker took it within {lifetime} seconds."))
        for run in await self._outage.outlast(lambda: self._queue.expired(_PAGE)):
            own = run.request.expiry
            await self._cancel(run, Reason(ReasonCode.EXPIRED, f"It was not taken within {own:g} seconds."))

    async def _cancel(self, run: Run, reason: Reason) -> None:
        self._dispatcher.forget(run.identifier)
        cancelled = await self._outage.outlast(lambda: self._queue.cancel(run, reason))
        if cancelled is None:
            # Assigned in the meantime: the dispatcher's look at it delivers it, and the wish is looked at again.
            self._dispatcher.hint(run.identifier)
            return
        reach(FailPoint.MASTER_CANCEL_COMMITTED)
        _logger.info("Run %s is cancelled: %s", run.identifier, reason.sentence)
        self._news.tell(cancelled)

    async def look_at_workers(self) -> None:
        """Switches of the connected workers, read from their records."""
        links = list(self._links)  # of those that come during the look, the records may be older than they are
        records = {worker.identifier: worker for worker in await self._outage.outlast(self._workers.all)}
        for link in links:
            record = records.get(link.worker.identifier)
            if record is None:
                link.dismiss("deleted", "This worker was deleted.")
            elif not record.is_connected or record.master != link.worker.master:
                # This master was silent for so long that others took it for gone, and perhaps its worker in.
                link.dismiss("replaced", "This master does not hold the worker any more; connect again.")
            elif record.should_disconnect and not link.worker.should_disconnect:
                link.dismiss("disconnected", "A user asked to disconnect this worker.")
            if record is not None:
                link.update(record)
        self._dispatcher.wake()
