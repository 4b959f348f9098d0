"""The master's process: what it waits for, serves, and watches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from job_orchestra.domain.audit import DEFAULT_AUDIT_DAYS
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.tick_times import LocalTimes
from job_orchestra.master.admission import WhoIsThere
from job_orchestra.master.compression import CompressionRounds
from job_orchestra.master.configuration import ReadProjects
from job_orchestra.master.parts import MasterParts
from job_orchestra.master.records import MasterRecords
from job_orchestra.protocol.connection import FrameConnection, FrameServer
from job_orchestra.protocol.control import (
    HintToMaster,
    JobSwitched,
    RunTriggered,
    RunWish,
    ScheduleSwitched,
    WorkerWish,
)
from job_orchestra.repositories.log_compression import LogCompression
from job_orchestra.repositories.log_disk_watch import LogDiskWatch

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
        records: MasterRecords,
        local_times: LocalTimes,
        selector: WorkerSelector,
        clock: Clock,
        url: str = "",
        audit_days: int = DEFAULT_AUDIT_DAYS,
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
        self._records = records
        self._parts = MasterParts(
            identifier, records, read_projects_anew, local_times, selector, clock, url, audit_days
        )
        self._outage = self._parts.outage
        self._compression = None if log_compression is None else CompressionRounds(log_compression)
        self._log_disk_watch = log_disk_watch
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
        self._parts.services.listen(self._on_hint)
        self._parts.news.listen(self._on_run_changed)
        handlers = {"/worker": self._serve_worker, "/control": self._serve_service}
        async with self._frame_server(self._address, self._port, self._admit, handlers) as server:
            self._server = server
            await self._until_stopped(stop, self._prepare(configured))
            if not stop.is_set():
                self._is_prepared = True
                ready(f"master: ready on {self._address}:{server.port}")
                side_tasks = [
                    self._parts.dispatcher.run(),
                    self._parts.delays.run(),
                    self._parts.pipelines.run(),
                    self._parts.configuration.run(),
                    self._look_again(),
                    self._parts.timekeeper.run(),
                    # Each by itself: a log that takes long to be read, say, keeps no hold from being renewed.
                    _again_and_again(self._parts.holds.look, _SAFETY_POLL),
                    _again_and_again(self._parts.losses.look, _BETWEEN_LOSSES),
                    _again_and_again(self._delete_tokens_of_ended_runs, _BETWEEN_TOKENS),
                    _again_and_again(self._parts.pipelines.look, _SAFETY_POLL),
                    self._parts.result_keys.run(),
                    self._parts.retention.run(),
                    self._parts.presence.run(),
                    self._parts.sampling.run(),
                    self._parts.audit_removal.run(),
                ]
                if self._compression is not None:
                    side_tasks.append(self._compression.run())
                if self._log_disk_watch is not None:
                    side_tasks.append(self._log_disk_watch.run())
                await self._until_stopped(stop, self._watch(side_tasks))
            if self._is_prepared:
                await self._parts.presence.end()
            # What was received before is still stored, but for no longer than storage can be used.
            self._outage.give_up()
            for link in self._parts.links:
                link.dismiss("stopping", "The master stops.")
            await asyncio.gather(*(link.is_closed.wait() for link in self._parts.links))
        for errand in self._errands:
            errand.cancel()

    def apply_configuration(self) -> None:
        """Has the projects read anew and applied, whole or, with a mistake, not at all."""
        self._parts.configuration.ask()

    async def _prepare(self, configured: Sequence[ConfiguredProject]) -> None:
        await self._outage.outlast(self._check_schema)
        await self._parts.configuration.begin_with(configured)
        await self._outage.outlast(lambda: self._records.workers.disconnect_all(self._identifier))

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
            await self._parts.wishes.look_at_all_runs()
            await self._parts.wishes.look_at_workers()
            expired = self._clock.now() - timedelta(seconds=self._pending_expiry)
            await self._parts.wishes.expire(expired, self._pending_expiry)
            await self._parts.dispatcher.look_at_assigned()
            await self._parts.dispatcher.look_at_recent()
            if now() >= next_sweep:
                next_sweep = now() + await self._parts.dispatcher.look_everywhere()

    # ---------- connections

    async def _admit(self, path: str, authorization: str | None) -> WhoIsThere | None:
        logs = [] if self._log_disk_watch is None else self._log_disk_watch.reasons
        waiting_for = [*self._outage.reasons, *logs] or ([] if self._is_prepared else ["The master is starting."])
        if waiting_for and (path == "/ready" or not self._is_prepared):
            raise Unavailable(" ".join(waiting_for))
        return None if path == "/ready" else await self._parts.admission.admit(path, authorization)

    async def _serve_worker(self, connection: FrameConnection, who: object) -> None:
        assert isinstance(who, WhoIsThere)
        try:
            await self._parts.reception.serve(connection, who.user)
        except Unavailable as error:
            _logger.warning("The connection of a worker ends in an outage: %s", error)

    async def _serve_service(self, connection: FrameConnection, who: object) -> None:
        await self._parts.services.serve(connection)

    # ---------- hints of services

    def _on_hint(self, hint: HintToMaster) -> None:
        match hint:
            case RunTriggered():
                self._parts.dispatcher.hint(hint.run)
            case RunWish():
                self._send_on_errand(self._parts.wishes.look_at_run(hint.run))
                self._send_on_errand(self._parts.pipelines.look_at_run(hint.run))
            case JobSwitched():
                self._send_on_errand(self._parts.dispatcher.look_at_switches())
            case ScheduleSwitched():
                self._parts.timekeeper.schedule_switched()
            case WorkerWish():
                self._send_on_errand(self._look_at_workers())

    async def _look_at_workers(self) -> None:
        await self._parts.wishes.look_at_workers()
        await self._parts.losses.look()

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
            self._parts.dispatcher.hint(run.identifier)
        elif run.status is not RunStatus.RUNNING:
            self._parts.dispatcher.note_ended(run.identifier)
            if run.status.is_terminal and run.request.token:
                self._send_on_errand(self._outage.outlast(lambda: self._records.run_tokens.delete(run)))

    async def _delete_tokens_of_ended_runs(self) -> None:
        await self._outage.outlast(self._records.run_tokens.delete_those_of_ended_runs)


async def _again_and_again(look: Callable[[], Awaitable[object]], pause: float) -> NoReturn:
    """Until it is cancelled."""
    while True:
        await asyncio.sleep(pause)
        await look()
