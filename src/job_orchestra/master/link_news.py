"""What the connections of workers tell the rest of the master."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from job_orchestra.domain.runs import Run
from job_orchestra.domain.workers import REFUSAL_PAUSE, Worker
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.dispatcher import Dispatcher
from job_orchestra.master.intake import Stored
from job_orchestra.master.outage import Outage
from job_orchestra.master.records import MasterRecords
from job_orchestra.master.run_news import RunNews
from job_orchestra.master.services import ServiceLinks
from job_orchestra.protocol.control import LogGrew, RunChanged, WorkerChanged


class LinkNews:
    """The `LinkEvents` of all links."""

    def __init__(
        self, records: MasterRecords, dispatcher: Dispatcher, news: RunNews, services: ServiceLinks, outage: Outage
    ) -> None:
        self._records = records
        self._dispatcher = dispatcher
        self._news = news
        self._services = services
        self._outage = outage

    async def on_stored(self, stored: Sequence[Stored]) -> None:
        for one in stored:
            if one.has_changed and one.account.is_late:
                # Of an attempt without which the run has gone on; but an executor is free now, perhaps.
                run = one.account.run
                self._services.tell(RunChanged(run.request.project, run.identifier, is_ended=False))
                self._dispatcher.wake()
            elif one.has_changed:
                self._news.tell(one.run)

    def on_log_grew(self, run: Run, size: int) -> None:
        self._services.tell(LogGrew(run.identifier, run.attempt, size))

    async def on_described(self, worker: Worker) -> None:
        await self._outage.outlast(lambda: self._records.workers.describe(worker))
        self._services.tell(WorkerChanged(worker.identifier))
        self._dispatcher.wake()

    async def on_put_back(self, run: Run) -> None:
        reach(FailPoint.MASTER_REFUSAL_RECEIVED)
        await self._outage.outlast(lambda: self._records.run_queue.unassign(run))
        reach(FailPoint.MASTER_UNASSIGNMENT_COMMITTED)
        self._dispatcher.hint(run.identifier)
        asyncio.get_running_loop().call_later(REFUSAL_PAUSE.total_seconds(), self._dispatcher.wake)
