"""A service on an SQLite database and a website before it, both real, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

from job_orchestra.composition.clock import SystemClock
from job_orchestra.composition.cron_expressions import local_times
from job_orchestra.composition.databases import open_administration, open_storage
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.runs import Run
from job_orchestra.integrations.revision_controls import REVISION_CONTROLS
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.audited_storage import AuditedStorage
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.concurrency import Concurrency
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.repositories.masters import KnownMasters
from job_orchestra.repositories.measures import Measures
from job_orchestra.repositories.passwords import PasswordHasher
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.projects import Projects
from job_orchestra.repositories.revision_runs import RevisionRuns
from job_orchestra.repositories.run_search import RunSearch
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.repositories.workers import Workers
from job_orchestra.service.application import ServiceApplication
from job_orchestra.service.audit_trail import AuditTrail
from job_orchestra.service.followers import Followers
from job_orchestra.service.foresight import Foresight
from job_orchestra.service.installation import Installation as ShownInstallation
from job_orchestra.service.installation import InstallationFacts
from job_orchestra.service.masters import Masters
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.readiness import Readiness
from job_orchestra.service.repository_tokens import RepositoryTokens
from job_orchestra.service.repository_watch import RepositoryWatch
from job_orchestra.service.route import Route
from job_orchestra.service.routes import ROUTES
from job_orchestra.service.transformation import Transformation
from job_orchestra.service.webhook_secrets import WebhookSecrets
from job_orchestra.storage.files import open_log_pulse, open_log_store
from job_orchestra.storage.schema_check import require_current
from job_orchestra.website.application import WebsiteApplication
from job_orchestra.website.cookie_keys import read_cookie_keys
from tests.website.clock import ShiftedClock

Answer = TypeVar("Answer")

_PATIENCE = 30.0


class Loop:
    """Runs coroutines for tests that are synchronous."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="event loop of a test")
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE)

    def start(self, application: ServiceApplication | WebsiteApplication) -> RunningApplication:
        return self.call(RunningApplication.started(application))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class RunningApplication:
    def __init__(self, application: ServiceApplication | WebsiteApplication) -> None:
        self._stop = asyncio.Event()
        self._is_ready = asyncio.Event()
        self._serving = asyncio.create_task(application.run(self._stop, lambda _: self._is_ready.set()))

    @classmethod
    async def started(cls, application: ServiceApplication | WebsiteApplication) -> Self:
        running = cls(application)
        waiting = asyncio.create_task(running._is_ready.wait())
        await asyncio.wait({waiting, running._serving}, return_when=asyncio.FIRST_COMPLETED)
        if running._serving.done():
            waiting.cancel()
            await running._serving
        return running

    async def stop(self) -> None:
        self._stop.set()
        await self._serving


class Fragile:
    """A transformer that one kind of result is too much for."""

    name = "fragile"

    def transform(self, run: Run, results: JsonObject) -> JsonObject:
        if "fragile" in results:
            raise ValueError("<b>broken</b>")
        return results


class Installation:
    """`clock` is that of the website; the service and the database go by the host's."""

    def __init__(self, directory: Path, routes: Sequence[Route] = ROUTES) -> None:
        url = f"sqlite:///{directory / 'records.sqlite'}"
        open_administration(url, directory).create()
        clock = SystemClock()
        self.cookie_key_file = directory / "website.keys"
        self.loop = Loop()
        self.storage = AuditedStorage(open_storage(url, directory))
        self.log_directory = directory / "logs"
        self.log_store = open_log_store(self.log_directory)
        # A million iterations per login are the service's tests' business.
        self.accounts = Accounts(self.storage, clock, PasswordHasher(iterations=1000))
        self.projects = Projects(self.storage, clock)
        self.jobs = Jobs(self.storage, clock)
        self.runs = Runs(self.storage, clock)
        self.pipeline_runs = PipelineRuns(self.storage, clock)
        self.late_reports = LateReports(self.storage, clock)
        self.workers = Workers(self.storage, clock)
        self.ticks = Ticks(self.storage)
        self.run_search = RunSearch(self.storage)
        self.audit = Audit(self.storage)
        self.known_masters = KnownMasters(self.storage, clock)
        self.measures = Measures(self.storage, clock)
        self.log_pulse = open_log_pulse(directory / "logs")
        selector, followers = WorkerSelector(), Followers()
        log_disk_watch = LogDiskWatch(self.log_pulse)
        facts = InstallationFacts(
            open_administration(url, directory), {"master": {"identifier": "anvil", "pending_expiry": 60}}
        )
        parts = ServiceParts(
            accounts=self.accounts,
            projects=self.projects,
            jobs=self.jobs,
            concurrency=Concurrency(self.storage),
            runs=self.runs,
            pipeline_runs=self.pipeline_runs,
            bound_runs=BoundRuns(self.storage, clock),
            run_search=self.run_search,
            revision_runs=RevisionRuns(self.storage),
            late_reports=self.late_reports,
            workers=self.workers,
            schedules=Schedules(self.storage, clock),
            ticks=self.ticks,
            log_store=self.log_store,
            local_times=local_times,
            selector=selector,
            foresight=Foresight(self.workers, selector, clock),
            transformation=Transformation((Fragile(),)),
            clock=clock,
            masters=Masters((), self.accounts, followers),
            followers=followers,
            readiness=Readiness(self.projects, self.accounts, log_disk_watch),
            webhook_secrets=WebhookSecrets({}, directory),
            audit=self.audit,
            trail=AuditTrail(self.audit, self.accounts, clock),
            known_masters=self.known_masters,
            measures=self.measures,
            installation=ShownInstallation(facts, clock.now(), log_disk_watch),
            repository_watch=RepositoryWatch(
                REVISION_CONTROLS, RepositoryTokens({}, directory), clock, directory / "service", directory
            ),
            routes=routes,
            url="",
        )
        self.service = ServiceApplication(
            address="127.0.0.1",
            port=0,
            check_schema=lambda: asyncio.to_thread(require_current, open_administration(url, directory)),
            parts=parts,
            log_disk_watch=log_disk_watch,
        )
        self.clock = ShiftedClock()
        self._stack = ExitStack()
        self._stack.callback(self.loop.close)
        self._stack.callback(lambda: self.loop.call(self._close_stores()))
        self._start(self.service)
        self.website = WebsiteApplication(
            address="127.0.0.1",
            port=0,
            service_url=f"http://127.0.0.1:{self.service.port}",
            cookie_keys=read_cookie_keys(self.cookie_key_file),
            clock=self.clock,
        )
        self._start(self.website)

    @property
    def url(self) -> str:
        return self.website.url

    def call(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        return self.loop.call(coroutine)

    def count_tasks(self) -> int:
        """Of service and website: what is left when nobody asks for anything is what they do by themselves."""

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return self.call(count())

    def _start(self, application: ServiceApplication | WebsiteApplication) -> None:
        running = self.loop.start(application)
        self._stack.callback(lambda: self.loop.call(running.stop()))

    async def _close_stores(self) -> None:
        await self.storage.close()
        await self.log_store.close()
        await self.log_pulse.close()

    def close(self) -> None:
        self._stack.close()
