"""The other ends of a real master: a scripted worker and a scripted service, over real WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from job_orchestra.composition.clock import SystemClock
from job_orchestra.composition.cron_expressions import local_times
from job_orchestra.composition.databases import open_administration, open_storage
from job_orchestra.domain.configuration import ConfiguredProject, parse_projects
from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Ended, Event, Started
from job_orchestra.domain.jobs import LossPolicy
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.retention import KEEP_EVERYTHING
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.users import TokenKind
from job_orchestra.master.application import MasterApplication
from job_orchestra.master.records import MasterRecords
from job_orchestra.protocol.codec import decode_hints_to_service, decode_to_worker, encode
from job_orchestra.protocol.connection import (
    ConnectionLost,
    FrameConnection,
    basic_authorization,
    bearer_authorization,
    open_connection,
)
from job_orchestra.protocol.control import HintToMaster, HintToService
from job_orchestra.protocol.messages import (
    PROTOCOL_VERSION,
    Events,
    Hello,
    JournalEvent,
    Log,
    RunOnDisk,
    ToMaster,
    ToWorker,
    Welcome,
)
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.concurrency import Concurrency
from job_orchestra.repositories.expired_runs import ExpiredRuns
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.repositories.masters import KnownMasters
from job_orchestra.repositories.measures import Measures
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.projects import Projects
from job_orchestra.repositories.pruning import Pruning
from job_orchestra.repositories.removals import Removals
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.retentions import Retentions
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.run_tokens import RunTokens
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.repositories.workers import Workers
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.schema_check import require_current

DEADLINE = 10.0
PROJECTS = parse_projects([{"identifier": "p", "jobs": [{"identifier": "j", "commands": [["true"]]}]}])

M = TypeVar("M", bound=ToWorker)
H = TypeVar("H", bound=HintToService)


def started(sequence: int = 1) -> Started:
    return Started(sequence, SystemClock().now(), {}, "/")


def ended(sequence: int, log: bytes, status: RunStatus = RunStatus.SUCCEEDED) -> Ended:
    reason = Reason(ReasonCode.COMPLETED, "It went well.")
    return Ended(sequence, SystemClock().now(), status, reason, 0.5, len(log), sha256(log).hexdigest())


def events(run: Run, *happened: Event) -> Events:
    records = (event_to_record(event) for event in happened)
    return Events(
        run.identifier, run.attempt, tuple(JournalEvent(one.sequence, one.kind, one.date, one.data) for one in records)
    )


def log(run: Run, offset: int, data: bytes) -> Log:
    return Log(run.identifier, run.attempt, offset, data)


@dataclass(slots=True)
class WorkerPeer:
    connection: FrameConnection
    unread: list[ToWorker] = field(default_factory=list[ToWorker])

    async def say(self, *messages: ToMaster) -> None:
        await self.connection.send_frame(encode(messages))

    async def hear(self, kind: type[M]) -> M:
        """The next message of that kind; others before it are dropped."""
        async with asyncio.timeout(DEADLINE):
            while True:
                while self.unread:
                    message = self.unread.pop(0)
                    if isinstance(message, kind):
                        return message
                self.unread.extend(decode_to_worker(await self.connection.receive_frame()))

    async def wait_for_end(self) -> None:
        async with asyncio.timeout(DEADLINE):
            try:
                while True:
                    await self.connection.receive_frame()
            except ConnectionLost:
                pass

    async def greet(
        self, *runs: RunOnDisk, instance: str = "one", protocol: int = PROTOCOL_VERSION, name: str = "w"
    ) -> None:
        properties: JsonObject = {"operating_system": "linux"}
        await self.say(Hello(protocol, "1", name, instance, "boot", "", 2, properties, 0.0, runs))


@dataclass(slots=True)
class ServicePeer:
    connection: FrameConnection
    unread: list[HintToService] = field(default_factory=list[HintToService])

    async def hint(self, hint: HintToMaster) -> None:
        await self.connection.send_frame(encode((hint,)))

    async def hear(self, kind: type[H]) -> H:
        async with asyncio.timeout(DEADLINE):
            while True:
                while self.unread:
                    hint = self.unread.pop(0)
                    if isinstance(hint, kind):
                        return hint
                self.unread.extend(decode_hints_to_service(await self.connection.receive_frame()))


class ShiftedClock(SystemClock):
    """The real time, and what the test adds to it."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


class LateAnswers(RunQueue):
    """Answers what was true when it was asked to remember: a read that took longer than what happened meanwhile."""

    remembered: list[Run] | None = None

    @property
    def is_late(self) -> bool:
        """It has not given that answer yet."""
        return self.remembered is not None

    async def load_many(self, runs: Sequence[str]) -> list[Run]:
        if self.remembered is None:
            return await super().load_many(runs)
        answer, self.remembered = self.remembered, None
        return answer


class Surroundings:
    """A database, a folder of logs, and a master that can be started again and again over them."""

    def __init__(self, url: str, directory: Path) -> None:
        clock = ShiftedClock()
        self.storage = open_storage(url)
        self._url = url
        self.log_store = open_log_store(directory / "logs")
        self.accounts = Accounts(self.storage, clock)
        self.runs = Runs(self.storage, clock)
        self.bound_runs = BoundRuns(self.storage, clock)
        self.queue = LateAnswers(self.storage, clock)
        self.workers = Workers(self.storage, clock)
        self.jobs = Jobs(self.storage, clock)
        self.late_reports = LateReports(self.storage, clock)
        self.result_index = ResultIndex(self.storage, clock, ["tests.failed"], settling=0)
        self.clock = clock
        self.log_disk_watch: LogDiskWatch | None = None
        self.port = 0
        self.token = ""
        self.identifier = "m"
        self.next_projects: Sequence[ConfiguredProject] = PROJECTS
        """What a master finds that reads them anew."""
        self.mistake: Invalid | None = None
        """Or what is wrong with them then."""

    async def prepare(self) -> None:
        await self.accounts.create_user("workers", roles=(Role.WORKER,))
        self.token = (await self.accounts.create_token("workers", TokenKind.PERSONAL, "", None)).secret

    def master(self, projects: Sequence[ConfiguredProject] = PROJECTS) -> MasterApplication:
        return MasterApplication(
            identifier=self.identifier,
            address="127.0.0.1",
            port=0,
            pending_expiry=3600,
            load_projects=lambda: projects,
            read_projects_anew=self._read_projects_anew,
            check_schema=self._check_schema,
            records=MasterRecords(
                accounts=self.accounts,
                projects=Projects(self.storage, self.clock),
                jobs=self.jobs,
                concurrency=Concurrency(self.storage),
                schedules=Schedules(self.storage, self.clock),
                ticks=Ticks(self.storage),
                runs=self.runs,
                run_queue=self.queue,
                pipeline_runs=PipelineRuns(self.storage, self.clock),
                bound_runs=self.bound_runs,
                run_progress=RunProgress(self.storage, self.clock, self.result_index),
                result_index=self.result_index,
                late_reports=self.late_reports,
                run_tokens=RunTokens(self.storage, self.clock),
                workers=self.workers,
                retentions=Retentions(self.storage, KEEP_EVERYTHING),
                pruning=Pruning(ExpiredRuns(self.storage, self.clock), Removals(self.storage), self.log_store),
                log_store=self.log_store,
                audit=Audit(self.storage),
                known_masters=KnownMasters(self.storage, self.clock),
                measures=Measures(self.storage, self.clock),
            ),
            local_times=local_times,
            selector=WorkerSelector(),
            clock=self.clock,
            url="ws://master.test",
            log_disk_watch=self.log_disk_watch,
        )

    async def _read_projects_anew(self) -> Sequence[ConfiguredProject]:
        if self.mistake is not None:
            raise self.mistake
        return self.next_projects

    async def _check_schema(self) -> None:
        await asyncio.to_thread(require_current, open_administration(self._url))

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[MasterApplication]:
        master = self.master()
        stop, is_ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(master.run(stop, lambda _: is_ready.set()))
        waiting = asyncio.create_task(is_ready.wait())
        await asyncio.wait([task, waiting], timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
        assert is_ready.is_set(), task
        self.port = master.port
        try:
            yield master
        finally:
            stop.set()
            await asyncio.wait_for(task, DEADLINE)

    @asynccontextmanager
    async def worker(
        self, *runs: RunOnDisk, instance: str = "one", name: str = "w"
    ) -> AsyncGenerator[tuple[WorkerPeer, Welcome]]:
        async with self.bare_worker() as peer:
            await peer.greet(*runs, instance=instance, name=name)
            yield peer, await peer.hear(Welcome)

    @asynccontextmanager
    async def bare_worker(self, authorization: str | None = None) -> AsyncGenerator[WorkerPeer]:
        """Connected, and silent."""
        credentials = authorization or basic_authorization("workers", self.token)
        async with open_connection(f"ws://127.0.0.1:{self.port}/worker", credentials) as connection:
            yield WorkerPeer(connection)

    @asynccontextmanager
    async def service(self) -> AsyncGenerator[ServicePeer]:
        token = await self.accounts.create_control_token()
        url = f"ws://127.0.0.1:{self.port}/control"
        async with open_connection(url, bearer_authorization(token)) as connection:
            yield ServicePeer(connection)

    async def trigger(
        self,
        properties: JsonObject | None = None,
        workspace: Workspace = Workspace.RUN,
        loss: LossPolicy | None = None,
        concurrency: str | None = None,
        expiry: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Run:
        request = RunRequest(
            "p",
            "j",
            CommandsDefinition((("true",),)),
            properties=properties or {},
            workspace=workspace,
            loss=loss or LossPolicy(),
            concurrency=concurrency,
            expiry=expiry,
            retry=retry or RetryPolicy(),
        )
        return (await self.runs.trigger(request, Source(SourceKind.USER, "eve"))).run

    async def stored(self, run: Run) -> Run:
        found = await self.queue.load(run.identifier)
        assert found is not None
        return found


Scenario = Callable[[Surroundings], Awaitable[None]]


@asynccontextmanager
async def surroundings(url: str, directory: Path) -> AsyncGenerator[Surroundings]:
    """`url` names a database with the current schema."""
    parts = Surroundings(url, directory)
    try:
        await parts.prepare()
        yield parts
    finally:
        await parts.storage.close()
        await parts.log_store.close()


def fresh_database(directory: Path) -> str:
    url = f"sqlite:///{directory}/orchestra.db"
    open_administration(url).create()
    return url
