"""Repositories over a real database, with a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.configuration import ConfiguredProject, parse_projects
from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.concurrency import Concurrency
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.masters import KnownMasters
from job_orchestra.repositories.measures import Measures
from job_orchestra.repositories.passwords import PasswordHasher
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.projects import Projects
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.repositories.workers import Workers
from job_orchestra.storage.port import Storage

USER = Source(SourceKind.USER, "somebody")


class ManualClock:
    def __init__(self) -> None:
        self.date = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)

    def now(self) -> datetime:
        return self.date

    def advance(self, seconds: float) -> None:
        self.date += timedelta(seconds=seconds)


class Records:
    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.clock = ManualClock()
        self.runs = Runs(storage, self.clock)
        self.pipeline_runs = PipelineRuns(storage, self.clock)
        self.bound_runs = BoundRuns(storage, self.clock)
        self.queue = RunQueue(storage, self.clock)
        self.progress = RunProgress(storage, self.clock)
        self.concurrency = Concurrency(storage)
        self.late_reports = LateReports(storage, self.clock)
        self.workers = Workers(storage, self.clock)
        self.projects = Projects(storage, self.clock)
        self.jobs = Jobs(storage, self.clock)
        self.schedules = Schedules(storage, self.clock)
        self.ticks = Ticks(storage)
        self.audit = Audit(storage)
        self.known_masters = KnownMasters(storage, self.clock)
        self.measures = Measures(storage, self.clock)
        self.accounts = Accounts(storage, self.clock, PasswordHasher(iterations=10))

    async def trigger(self, job: str = "j", project: str = "p", **given: object) -> Run:
        """A run one millisecond later than the one before."""
        self.clock.advance(0.001)
        request = request_of(project, job, **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        return (await self.runs.trigger(request, USER)).run


def request_of(
    project: str = "p",
    job: str = "j",
    properties: JsonObject | None = None,
    priority: int = 0,
    concurrency: str | None = None,
    expiry: float | None = None,
) -> RunRequest:
    definition = CommandsDefinition((("true",),))
    return RunRequest(
        project, job, definition, properties=properties or {}, priority=priority, concurrency=concurrency, expiry=expiry
    )


def configuration(*projects: JsonObject) -> tuple[ConfiguredProject, ...]:
    return parse_projects(projects)


def play(database_url: str, scenario: Callable[[Records], Awaitable[None]]) -> None:
    async def run() -> None:
        storage = open_storage(database_url)
        try:
            await scenario(Records(storage))
        finally:
            await storage.close()

    asyncio.run(run())
