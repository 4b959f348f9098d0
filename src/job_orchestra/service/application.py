"""The service as a whole: HTTP API, control channels to the masters, and the wait for the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.tick_times import LocalTimes
from job_orchestra.protocol.http_server import serve
from job_orchestra.protocol.listening import listen
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.concurrency import Concurrency
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.repositories.masters import KnownMasters
from job_orchestra.repositories.measures import Measures
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.projects import Projects
from job_orchestra.repositories.revision_runs import RevisionRuns
from job_orchestra.repositories.run_search import RunSearch
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.repositories.workers import Workers
from job_orchestra.service.audit_trail import AuditTrail
from job_orchestra.service.dispatch import build_app
from job_orchestra.service.followers import Followers
from job_orchestra.service.foresight import Foresight
from job_orchestra.service.installation import Installation, InstallationFacts
from job_orchestra.service.masters import Masters
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.problems import malformed_answer
from job_orchestra.service.readiness import Readiness
from job_orchestra.service.repository_watch import RepositoryWatch
from job_orchestra.service.route import Route
from job_orchestra.service.routes import ROUTES
from job_orchestra.service.transformation import ResultTransformer, Transformation
from job_orchestra.service.webhook_secrets import WebhookSecrets
from job_orchestra.storage.log_port import LogStore

_logger = logging.getLogger(__name__)

_LOOK_AGAIN = 0.5
_GRACE = 5
"""Seconds that answers under way have when the service stops."""


class ServiceApplication:
    def __init__(
        self,
        *,
        address: str,
        port: int,
        url: str,
        check_schema: Callable[[], Awaitable[None]],
        accounts: Accounts,
        projects: Projects,
        jobs: Jobs,
        concurrency: Concurrency,
        runs: Runs,
        pipeline_runs: PipelineRuns,
        bound_runs: BoundRuns,
        run_search: RunSearch,
        revision_runs: RevisionRuns,
        late_reports: LateReports,
        workers: Workers,
        schedules: Schedules,
        ticks: Ticks,
        log_store: LogStore,
        local_times: LocalTimes,
        selector: WorkerSelector,
        master_urls: Sequence[str],
        clock: Clock,
        webhook_secrets: WebhookSecrets,
        audit: Audit,
        known_masters: KnownMasters,
        measures: Measures,
        installation: InstallationFacts | None = None,
        repository_watch: RepositoryWatch,
        log_disk_watch: LogDiskWatch | None = None,
        routes: Sequence[Route] = ROUTES,
        result_transformers: Sequence[ResultTransformer] = (),
    ) -> None:
        self.port = port
        """The real one, once `run` has called `ready`."""
        self._address = address
        self._check_schema = check_schema
        self.followers = Followers()
        self._log_disk_watch = log_disk_watch
        self._masters = Masters(master_urls, accounts, self.followers)
        self.trail = AuditTrail(audit, accounts, clock)
        self._parts = ServiceParts(
            accounts=accounts,
            projects=projects,
            jobs=jobs,
            concurrency=concurrency,
            runs=runs,
            pipeline_runs=pipeline_runs,
            bound_runs=bound_runs,
            run_search=run_search,
            revision_runs=revision_runs,
            late_reports=late_reports,
            schedules=schedules,
            ticks=ticks,
            workers=workers,
            log_store=log_store,
            local_times=local_times,
            selector=selector,
            foresight=Foresight(workers, selector, clock),
            transformation=Transformation(result_transformers),
            clock=clock,
            masters=self._masters,
            followers=self.followers,
            readiness=Readiness(projects, accounts, log_disk_watch),
            webhook_secrets=webhook_secrets,
            audit=audit,
            trail=self.trail,
            known_masters=known_masters,
            measures=measures,
            installation=Installation(installation or InstallationFacts(), clock.now(), log_disk_watch),
            repository_watch=repository_watch,
            routes=routes,
            url=url,
        )

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Serves until `stop` is set; answers from the first moment, with 503 while there is no database.

        Conflict if that has another schema than this program's.
        """
        listener = listen(self._address, self.port)
        self.port = listener.getsockname()[1]
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._masters.run()),
                tasks.create_task(self._wait_for_database(ready)),
                tasks.create_task(self._close_followers(stop)),
                tasks.create_task(self.trail.run()),
            ]
            if self._log_disk_watch is not None:
                beside.append(tasks.create_task(self._log_disk_watch.run()))
            try:
                await serve(build_app(self._parts), listener, stop, malformed=malformed_answer(), grace=_GRACE)
            finally:
                for task in beside:
                    task.cancel()
                await self._parts.repository_watch.close()

    async def _wait_for_database(self, ready: Callable[[str], None]) -> None:
        said = ""
        while True:
            try:
                await self._check_schema()
                break
            except Unavailable as error:
                if error.message != said:
                    said = error.message
                    _logger.warning("Waiting for the database: %s", said)
                await asyncio.sleep(_LOOK_AGAIN)
        ready(f"service: ready on {self._address}:{self.port}")

    async def _close_followers(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.followers.close()
