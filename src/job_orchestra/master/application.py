"""The master's process: what it waits for, serves, and watches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.tick_times import LocalTimes
from job_orchestra.domain.workers import REFUSAL_PAUSE, Worker
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.admission import Admission, WhoIsThere
from job_orchestra.master.compression import CompressionRounds
from job_orchestra.master.configuration import Configuration, ReadProjects
from job_orchestra.master.delays import Delays
from job_orchestra.master.dispatcher import Dispatcher
from job_orchestra.master.holds import Holds
from job_orchestra.master.intake import Intake, Stored
from job_orchestra.master.links import WorkerLinks
from job_orchestra.master.losses import Losses
from job_orchestra.master.outage import Outage
from job_orchestra.master.pipeline_starts import PipelineStarts
from job_orchestra.master.pipeline_steps import PipelineSteps
from job_orchestra.master.pipelines import Pipelines
from job_orchestra.master.reception import Reception
from job_orchestra.master.result_keys import ResultKeys
from job_orchestra.master.retention import RetentionRounds
from job_orchestra.master.run_news import RunNews
from job_orchestra.master.services import ServiceLinks
from job_orchestra.master.ticking import Ticking
from job_orchestra.master.timekeeper import Timekeeper
from job_orchestra.master.wishes import Wishes
from job_orchestra.master.worker_link import LinkParts
from job_orchestra.protocol.connection import FrameConnection, FrameServer
from job_orchestra.protocol.control import (
    HintToMaster,
    JobSwitched,
    LogGrew,
    RunChanged,
    RunTriggered,
    RunWish,
    ScheduleSwitched,
    WorkerChanged,
    WorkerWish,
)
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.concurrency import Concurrency
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.log_compression import LogCompression
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.projects import Projects
from job_orchestra.repositories.pruning import Pruning
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.retentions import Retentions
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.run_tokens import RunTokens
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.repositories.workers import Workers
from job_orchestra.storage.log_port import LogStore

_logger = logging.getLogger(__name__)

_SAFETY_POLL = 1.0
"""Seconds between two looks for what hints may have missed."""
_BETWEEN_LOSSES = 5.0
_BETWEEN_TOKENS = 600.0


class MasterApplication:
    def __init__(
        self,
        *,
        identifier: str,
        address: str,
        port: int,
        pending_expiry: int,
        load_projects: Callable[[], Sequence[ConfiguredProject]],
        read_projects_anew: ReadProjects,
        check_schema: Callable[[], Awaitable[None]],
        accounts: Accounts,
        projects: Projects,
        jobs: Jobs,
        concurrency: Concurrency,
        schedules: Schedules,
        ticks: Ticks,
        local_times: LocalTimes,
        runs: Runs,
        run_queue: RunQueue,
        pipeline_runs: PipelineRuns,
        bound_runs: BoundRuns,
        run_progress: RunProgress,
        result_index: ResultIndex,
        late_reports: LateReports,
        run_tokens: RunTokens,
        workers: Workers,
        retentions: Retentions,
        pruning: Pruning,
        log_store: LogStore,
        selector: WorkerSelector,
        clock: Clock,
        log_compression: LogCompression | None = None,
        log_disk_watch: LogDiskWatch | None = None,
        frame_server: type[FrameServer] = FrameServer,
    ) -> None:
        self._identifier = identifier
        self._address = address
        self._port = port
        self._pending_expiry = pending_expiry
        self._clock = clock
        self._load_projects = load_projects
        self._check_schema = check_schema
        self._queue = run_queue
        self._workers = workers
        self._run_tokens = run_tokens
        self._outage = Outage()
        self._links = WorkerLinks()
        self._services = ServiceLinks()
        self._news = RunNews(self._services)
        self._configuration = Configuration(projects, read_projects_anew, self._services, self._outage)
        self._dispatcher = Dispatcher(
            run_queue,
            jobs,
            concurrency,
            self._links,
            selector,
            PipelineStarts(run_progress, self._news, self._outage, clock),
            self._outage,
            clock,
        )
        self._delays = Delays(run_queue, self._dispatcher, self._outage, clock)
        self._wishes = Wishes(
            runs, bound_runs, run_queue, workers, self._links, self._dispatcher, self._news, self._outage
        )
        steps = PipelineSteps(
            pipeline_runs=pipeline_runs,
            jobs=jobs,
            progress=run_progress,
            log_store=log_store,
            dispatcher=self._dispatcher,
            wishes=self._wishes,
            news=self._news,
            services=self._services,
            outage=self._outage,
            clock=clock,
        )
        self._pipelines = Pipelines(pipeline_runs, steps, self._outage, clock)
        ticking = Ticking(ticks, jobs, runs, local_times, clock, self._dispatcher.hint)
        self._timekeeper = Timekeeper(schedules, ticks, ticking, self._outage, clock)
        self._holds = Holds(identifier, workers, self._links.names, self._outage, clock)
        self._result_keys = ResultKeys(result_index, self._outage)
        self._admission = Admission(accounts)
        self._retention = RetentionRounds(retentions, pruning, self._outage)
        self._compression = None if log_compression is None else CompressionRounds(log_compression)
        self._log_disk_watch = log_disk_watch
        self._losses = Losses(
            queue=run_queue,
            progress=run_progress,
            late_reports=late_reports,
            workers=workers,
            log_store=log_store,
            links=self._links,
            wishes=self._wishes,
            news=self._news,
            outage=self._outage,
            clock=clock,
        )
        self._reception = Reception(
            master=identifier,
            workers=workers,
            queue=run_queue,
            late_reports=late_reports,
            log_store=log_store,
            links=self._links,
            parts=LinkParts(
                Intake(run_progress, late_reports, log_store, self._outage, clock, self._wishes.before_end),
                self,
                clock,
                lambda run: self._outage.outlast(lambda: run_tokens.create(run)),
            ),
            dispatcher=self._dispatcher,
            losses=self._losses,
            services=self._services,
            outage=self._outage,
            clock=clock,
        )
        self._errands: set[asyncio.Task[None]] = set()
        self._is_prepared = False
        self._frame_server = frame_server
        self._server: FrameServer | None = None

    @property
    def port(self) -> int:
        """The real one, once it serves."""
        assert self._server is not None
        return self._server.port

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Serves until `stop` is set; answers from the first moment, with 503 until the database is there.

        Invalid if the projects are, Conflict if the database has another schema, before anything is changed.
        """
        configured = self._load_projects()
        self._services.listen(self._on_hint)
        self._news.listen(self._on_run_changed)
        self._news.listen(self._delays.on_news)
        self._news.listen(self._pipelines.on_news)
        self._news.listen(self._timekeeper.on_news)
        handlers = {"/worker": self._serve_worker, "/control": self._serve_service}
        async with self._frame_server(self._address, self._port, self._admit, handlers) as server:
            self._server = server
            await self._until_stopped(stop, self._prepare(configured))
            if not stop.is_set():
                self._is_prepared = True
                ready(f"master: ready on {self._address}:{server.port}")
                side_tasks = [
                    self._dispatcher.run(),
                    self._delays.run(),
                    self._pipelines.run(),
                    self._configuration.run(),
                    self._look_again(),
                    self._timekeeper.run(),
                    # Each by itself: a log that takes long to be read, say, keeps no hold from being renewed.
                    _again_and_again(self._holds.look, _SAFETY_POLL),
                    _again_and_again(self._losses.look, _BETWEEN_LOSSES),
                    _again_and_again(self._delete_tokens_of_ended_runs, _BETWEEN_TOKENS),
                    _again_and_again(self._pipelines.look, _SAFETY_POLL),
                    self._result_keys.run(),
                    self._retention.run(),
                ]
                if self._compression is not None:
                    side_tasks.append(self._compression.run())
                if self._log_disk_watch is not None:
                    side_tasks.append(self._log_disk_watch.run())
                await self._until_stopped(stop, self._watch(side_tasks))
            # What was received before is still stored, but for no longer than storage can be used.
            self._outage.give_up()
            for link in self._links:
                link.dismiss("stopping", "The master stops.")
            await asyncio.gather(*(link.is_closed.wait() for link in self._links))
        for errand in self._errands:
            errand.cancel()

    def apply_configuration(self) -> None:
        """Has the projects read anew and applied, whole or, with a mistake, not at all."""
        self._configuration.ask()

    async def _prepare(self, configured: Sequence[ConfiguredProject]) -> None:
        await self._outage.outlast(self._check_schema)
        await self._configuration.begin_with(configured)
        await self._outage.outlast(lambda: self._workers.disconnect_all(self._identifier))

    async def _watch(self, side_tasks: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Runs them together; when one fails, the others are cancelled and its error is the master's."""
        async with asyncio.TaskGroup() as group:
            for one in side_tasks:
                group.create_task(one)

    async def _until_stopped(self, stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> None:
        """Until the work is done, or `stop` is set, which cancels it."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            working.result()
        else:
            working.cancel()
            await asyncio.wait([working])

    async def _look_again(self) -> None:
        now = asyncio.get_running_loop().time
        next_sweep = now()
        while True:
            await asyncio.sleep(_SAFETY_POLL)
            await self._wishes.look_at_all_runs()
            await self._wishes.look_at_workers()
            await self._wishes.expire(self._clock.now() - timedelta(seconds=self._pending_expiry), self._pending_expiry)
            await self._dispatcher.look_at_assigned()
            await self._dispatcher.look_at_recent()
            if now() >= next_sweep:
                next_sweep = now() + await self._dispatcher.look_everywhere()

    # ---------- connections

    async def _admit(self, path: str, authorization: str | None) -> WhoIsThere | None:
        logs = [] if self._log_disk_watch is None else self._log_disk_watch.reasons
        waiting_for = [*self._outage.reasons, *logs] or ([] if self._is_prepared else ["The master is starting."])
        if waiting_for and (path == "/ready" or not self._is_prepared):
            raise Unavailable(" ".join(waiting_for))
        return None if path == "/ready" else await self._admission.admit(path, authorization)

    async def _serve_worker(self, connection: FrameConnection, who: object) -> None:
        assert isinstance(who, WhoIsThere)
        try:
            await self._reception.serve(connection, who.user)
        except Unavailable as error:
            _logger.warning("The connection of a worker ends in an outage: %s", error)

    async def _serve_service(self, connection: FrameConnection, who: object) -> None:
        await self._services.serve(connection)

    # ---------- hints of services

    def _on_hint(self, hint: HintToMaster) -> None:
        match hint:
            case RunTriggered():
                self._dispatcher.hint(hint.run)
            case RunWish():
                self._send_on_errand(self._wishes.look_at_run(hint.run))
                self._send_on_errand(self._pipelines.look_at_run(hint.run))
            case JobSwitched():
                self._send_on_errand(self._dispatcher.look_at_switches())
            case ScheduleSwitched():
                self._timekeeper.schedule_switched()
            case WorkerWish():
                self._send_on_errand(self._look_at_workers())

    async def _look_at_workers(self) -> None:
        await self._wishes.look_at_workers()
        await self._losses.look()

    def _send_on_errand(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._on_errand_done)

    def _on_errand_done(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        error = None if task.cancelled() else task.exception()
        # Storage that cannot be used is no fault: it is waited for, unless the master stops.
        if error is not None and not isinstance(error, Unavailable):
            # A hint is a comfort: the safety poll finds what it was about.
            _logger.error("What a hint asked for failed.", exc_info=error)

    def _on_run_changed(self, run: Run) -> None:
        if run.status is RunStatus.PENDING and run.waits_until is None:
            self._dispatcher.hint(run.identifier)
        elif run.status is not RunStatus.RUNNING:
            self._dispatcher.note_ended(run.identifier)
            if run.status.is_terminal and run.request.token:
                self._send_on_errand(self._outage.outlast(lambda: self._run_tokens.delete(run)))

    async def _delete_tokens_of_ended_runs(self) -> None:
        await self._outage.outlast(self._run_tokens.delete_those_of_ended_runs)

    # ---------- what links tell

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
        await self._outage.outlast(lambda: self._workers.describe(worker))
        self._services.tell(WorkerChanged(worker.identifier))
        self._dispatcher.wake()

    async def on_put_back(self, run: Run) -> None:
        reach(FailPoint.MASTER_REFUSAL_RECEIVED)
        await self._outage.outlast(lambda: self._queue.unassign(run))
        reach(FailPoint.MASTER_UNASSIGNMENT_COMMITTED)
        self._dispatcher.hint(run.identifier)
        asyncio.get_running_loop().call_later(REFUSAL_PAUSE.total_seconds(), self._dispatcher.wake)


async def _again_and_again(look: Callable[[], Awaitable[object]], pause: float) -> NoReturn:
    """Until it is cancelled."""
    while True:
        await asyncio.sleep(pause)
        await look()
