"""A real service over a real database, and clients of its users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2

from job_orchestra.composition.cron_expressions import local_times
from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.integrations.revision_controls import REVISION_CONTROLS
from job_orchestra.repositories.audited_storage import AuditedStorage
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.repositories.revision_runs import RevisionRuns
from job_orchestra.repositories.run_search import RunSearch
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.service.application import ServiceApplication
from job_orchestra.service.audit_trail import AuditTrail
from job_orchestra.service.followers import Followers
from job_orchestra.service.foresight import Foresight
from job_orchestra.service.installation import Installation, InstallationFacts
from job_orchestra.service.masters import Masters
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.readiness import Readiness
from job_orchestra.service.repository_tokens import RepositoryTokens
from job_orchestra.service.repository_watch import RepositoryWatch
from job_orchestra.service.routes import ROUTES
from job_orchestra.service.transformation import ResultTransformer, Transformation
from job_orchestra.service.webhook_secrets import WebhookSecrets
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogKey, LogPiece
from job_orchestra.storage.port import Storage
from tests.repositories.records import Records

DEADLINE = 10.0

PROJECTS: list[dict[str, Any]] = [
    {
        "identifier": "example",
        "display_name": "An example",
        "jobs": [
            {
                "identifier": "hello",
                "commands": [["echo", "{parameters[name]}"]],
                "parameters": [
                    {"identifier": "name", "default": "world"},
                    {"identifier": "size", "default": 1, "choices": [1, 2]},
                ],
                "properties": {"operating_system": "linux"},
            },
            {"identifier": "strict", "commands": [["true"]], "parameters": [{"identifier": "needed"}]},
        ],
        "schedules": [{"identifier": "nightly", "job": "hello", "expression": "0 3 * * *"}],
    },
    {"identifier": "other", "jobs": [{"identifier": "hello", "commands": [["true"]]}]},
]


class Served(Records):
    """Repositories, log store and a running service over the same database."""

    def __init__(
        self,
        storage: Storage,
        directory: Path,
        master_urls: Sequence[str],
        transformers: Sequence[ResultTransformer] = (),
        log_disk_watch: LogDiskWatch | None = None,
        installation: InstallationFacts | None = None,
    ) -> None:
        super().__init__(AuditedStorage(storage))
        self.log_store = open_log_store(directory / "logs")
        self.run_search = RunSearch(self.storage)
        self.directory = directory
        self.environment: dict[str, str] = {}
        """Of the service: where secrets of webhooks may be."""
        self.followers = Followers()
        self.trail = AuditTrail(self.audit, self.accounts, self.clock)
        selector = WorkerSelector()
        parts = ServiceParts(
            accounts=self.accounts,
            projects=self.projects,
            jobs=self.jobs,
            concurrency=self.concurrency,
            runs=self.runs,
            pipeline_runs=self.pipeline_runs,
            bound_runs=self.bound_runs,
            run_search=self.run_search,
            revision_runs=RevisionRuns(self.storage),
            late_reports=self.late_reports,
            workers=self.workers,
            schedules=self.schedules,
            ticks=Ticks(self.storage),
            log_store=self.log_store,
            local_times=local_times,
            selector=selector,
            foresight=Foresight(self.workers, selector, self.clock),
            transformation=Transformation(transformers),
            clock=self.clock,
            masters=Masters(master_urls, self.accounts, self.followers),
            followers=self.followers,
            readiness=Readiness(self.projects, self.accounts, log_disk_watch),
            webhook_secrets=WebhookSecrets(self.environment, directory),
            audit=self.audit,
            trail=self.trail,
            known_masters=self.known_masters,
            measures=self.measures,
            installation=Installation(installation or InstallationFacts(), self.clock.now(), log_disk_watch),
            repository_watch=RepositoryWatch(
                REVISION_CONTROLS,
                RepositoryTokens(self.environment, directory),
                self.clock,
                directory / "service",
                directory,
            ),
            routes=ROUTES,
            url="http://service.test",
        )
        self.application = ServiceApplication(
            address="127.0.0.1", port=0, check_schema=self._look, parts=parts, log_disk_watch=log_disk_watch
        )
        self.is_hinting = True
        """Whether followers hear of what happens, as they do from a master."""
        self._clients: list[httpx2.AsyncClient] = []

    async def _look(self) -> None:
        await self.projects.list(limit=1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.application.port}"

    @cached_property
    def anonymous(self) -> httpx2.AsyncClient:
        return self.client()

    def client(self, secret: str | None = None) -> httpx2.AsyncClient:
        headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        client = httpx2.AsyncClient(base_url=self.url, headers=headers, trust_env=False, verify=False, timeout=DEADLINE)
        self._clients.append(client)
        return client

    async def user(self, *roles: Role, name: str = "") -> httpx2.AsyncClient:
        """A client of a new user with these roles, called after the first."""
        identifier = name or str(roles[0])
        await self.accounts.create_user(identifier, roles, password="correct horse")
        return self.client((await self.accounts.create_token(identifier)).secret)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self.log_store.close()

    # ---------- what a master would do

    async def assigned(self, job: str = "hello", worker: str = "w") -> Run:
        run = await self.queue.assign(await self.trigger(job, "example"), worker)
        assert run is not None
        return run

    async def started(self, job: str = "hello", worker: str = "w") -> Run:
        run = await self.assigned(job, worker)
        after = replace(run, status=RunStatus.RUNNING, started_at=self.clock.now())
        assert await self.progress.save(run, after, [])
        return after

    async def wrote(self, run: Run, data: bytes) -> Run:
        key = LogKey(run.request.project, run.identifier, run.attempt)
        await self.log_store.append([LogPiece(key, run.log.size, data)])
        after = replace(run, log=LogFacts(run.log.size + len(data)))
        assert await self.progress.save(run, after, [])
        if self.is_hinting:
            self.followers.log_grew(run.identifier)
        return after

    async def ended(self, run: Run, status: RunStatus = RunStatus.SUCCEEDED) -> Run:
        key = LogKey(run.request.project, run.identifier, run.attempt)
        size, digest = await self.log_store.sha256(key)
        reason = Reason(ReasonCode.COMPLETED, "All commands succeeded.")
        after = replace(
            run, status=status, reason=reason, ended_at=self.clock.now(), duration=1.5, log=LogFacts(size, digest)
        )
        assert await self.progress.save(run, after, [])
        if self.is_hinting:
            self.followers.run_changed(run.identifier)
        return after


@asynccontextmanager
async def serving(
    database: str | Storage,
    directory: Path,
    *master_urls: str,
    transformers: Sequence[ResultTransformer] = (),
    log_disk_watch: LogDiskWatch | None = None,
    installation: InstallationFacts | None = None,
) -> AsyncGenerator[Served]:
    """Over the database with this URL, or over an open storage."""
    storage = open_storage(database) if isinstance(database, str) else database
    served = Served(storage, directory, master_urls, transformers, log_disk_watch, installation)
    await served.projects.apply(parse_projects(PROJECTS))
    stop, is_ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(served.application.run(stop, lambda _: is_ready.set()))
    try:
        async with asyncio.timeout(DEADLINE):
            waiting = asyncio.create_task(is_ready.wait())
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        assert is_ready.is_set(), task
        yield served
    finally:
        stop.set()
        await asyncio.wait_for(task, DEADLINE)
        await served.close()
        await storage.close()


Scenario = Callable[[Served], Awaitable[None]]
Play = Callable[[Scenario], None]


def play_over(database_url: str, directory: Path) -> Play:
    def play(scenario: Scenario) -> None:
        async def run() -> None:
            async with serving(database_url, directory) as served:
                await scenario(served)

        asyncio.run(run())

    return play
