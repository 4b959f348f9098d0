"""The runs on the worker's disk: taken in, handed to an executor host, seen to their end, deleted."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.identifiers import NAME, NAME_RULE
from job_orchestra.domain.job_data import limits_from_data
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.execution.process_identity import boot_identifier, is_alive
from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import (
    RunDirectory,
    delete_run_directory,
    is_abort_wished,
    list_run_directories,
    parse_run_name,
    wish_abort,
)
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.protocol.messages import Execute
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.worker.background import log_faults
from job_orchestra.worker.directory import WorkerDirectory
from job_orchestra.worker.executor_hosts import ExecutorHosts
from job_orchestra.worker.followed_runs import FollowedRun, FollowedRuns
from job_orchestra.worker.request_writer import RequestWriter
from job_orchestra.worker.run_endings import RunEndings

_logger = logging.getLogger(__name__)

_TRY_AGAIN = 1.0
"""Seconds until a write is tried again that found the disk full; nothing tells when there is room."""

_LAST_MOMENT = 2.0


class RunKeeper:
    def __init__(
        self,
        directory: WorkerDirectory,
        environment: Mapping[str, str],
        executors: Mapping[str, str],
        service_url: str,
        linger: float,
        on_grown: Callable[[FollowedRun], None],
        on_looked: Callable[[], None],
        on_written: Callable[[RunKey, str | None], None],
        on_deleted: Callable[[RunKey], None],
        on_damaged: Callable[[RunKey, FollowedRun | None], None],
        on_hindered: Callable[[str], None],
    ) -> None:
        """`on_written` hears that a run is on disk, or why it cannot be; the others as their names say.

        `on_damaged` hears of a run of which less is on disk than was, and what is left of it, `on_hindered` what keeps
        the worker from following its runs closely.
        """
        self._directory = directory
        self._executors = executors
        self._service_url = service_url
        self._on_written = on_written
        self._on_deleted = on_deleted
        self._on_damaged = on_damaged
        self._aborting: set[RunKey] = set()
        self.runs = FollowedRuns(on_grown, on_looked, on_hindered)
        self._hosts = ExecutorHosts(
            directory, environment, self._on_finished, self._see_to_lost_runs, self._tell_again, linger
        )
        self._writer = RequestWriter(directory.runs, self._take_in)
        self._endings = RunEndings(directory.workspaces, self._hosts.pids)
        self._ending: set[RunKey] = set()
        self._refusal: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Finds the runs and hosts of the worker's earlier lives; runs that nobody has begun are handed over."""
        for directory in list_run_directories(self._directory.runs):
            self.runs.add(directory)
        await self._hosts.start()
        await self._see_to_lost_runs()
        await self._endings.remove_orphaned_workspaces([run.key for run in self.runs])
        self._pass_on_aborts()

    async def close(self) -> None:
        """Leaves executor hosts and runs alone."""
        await self._writer.close()
        if self._tasks:
            # Deletions are done in a moment; what takes longer is taken up again by the next worker.
            await asyncio.wait(self._tasks, timeout=_LAST_MOMENT)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._hosts.close()
        self.runs.close()

    # ---------- towards the end of the worker

    def refuse_new(self, reason: str) -> None:
        """From now on every run is refused, with this sentence."""
        self._refusal = reason

    def unended(self) -> int:
        """How many runs have not ended."""
        return sum(not run.is_ended for run in self.runs)

    def abort_all(self) -> None:
        """Ends all runs because the worker is to stop; of no effect on those that it was said of before."""
        for run in self.runs:
            if not run.is_ended and not is_abort_wished(run.directory):
                self._wish_abort(run, "its worker, which was told to stop", is_shutdown=True)

    def host_silence(self) -> float:
        """As `ExecutorHosts.silence`."""
        return self._hosts.silence()

    def retire_hosts(self) -> None:
        """Executor hosts go as soon as they are idle, and no other is started."""
        self._hosts.retire()

    # ---------- what the master asks

    def store(self, execute: Execute) -> None:
        """`on_written` hears of the outcome."""
        if self._refusal is not None:
            self._on_written(RunKey(execute.run, execute.attempt), self._refusal)
            return
        try:
            self._writer.write(self._request(execute))
        except Invalid as error:
            self._on_written(RunKey(execute.run, execute.attempt), error.message)

    def abort(self, key: RunKey, by: str) -> None:
        """Until the wish is written down, saying it again changes nothing."""
        run = self.runs.get(key)
        if run is not None and not run.is_ended:
            self._wish_abort(run, by)

    def forget(self, key: RunKey) -> None:
        """Leaves a directory alone that cannot be read."""
        run = self.runs.get(key)
        if run is not None:
            self.runs.remove(run)
            self._on_deleted(key)

    def delete(self, key: RunKey) -> None:
        """`on_deleted` hears when it is gone."""
        run = self.runs.get(key)
        if run is not None:
            reach(FailPoint.WORKER_RELEASE_RECEIVED)
            self.runs.remove(run)
            self._begin(self._delete(run))

    def _request(self, execute: Execute) -> Request:
        names = {"run": execute.run, "project": execute.project, "job": execute.job}
        for place, name in names.items():
            if not NAME.fullmatch(name):
                raise Invalid.at(place, f"{name!r} is no identifier: {NAME_RULE}")
        if parse_run_name(f"{execute.run}.{execute.attempt}") is None:
            raise Invalid.at("attempt", f"{execute.attempt} is no number of an attempt")
        try:
            workspace = Workspace(execute.workspace)
        except ValueError:
            raise Invalid.at("workspace", f"{execute.workspace!r} is none that this worker knows") from None
        try:
            limits = limits_from_data(execute.limits)
        except Invalid as error:
            raise Invalid.at("limits", error.message) from None
        kind = str(execute.definition.get("type"))
        return Request(
            run=execute.run,
            attempt=execute.attempt,
            project=execute.project,
            job=execute.job,
            definition=execute.definition,
            parameters=execute.parameters,
            workspace=workspace,
            limits=limits,
            service_url=self._service_url,
            boot=boot_identifier(),
            token=execute.token,
            executor=None if kind == CommandsDefinition.type else self._executors.get(kind),
        )

    def _take_in(self, request: Request, error: Exception | None) -> None:
        if error is not None:
            _logger.error("Run %s cannot be written to disk: %s", request.run, error)
            words = error.strerror if isinstance(error, OSError) else None
            self._on_written(request.key, f"The worker cannot write the run to its disk: {words or error}.")
            return
        directory = RunDirectory.of(self._directory.runs, request.key)
        run = self.runs.add(directory)
        self._hosts.execute(directory.name)
        reach(FailPoint.WORKER_HOST_TOLD)
        self._on_written(request.key, None)
        self.runs.look_at(run)

    def _wish_abort(self, run: FollowedRun, by: str, is_shutdown: bool = False) -> None:
        if run.key not in self._aborting:
            self._aborting.add(run.key)
            self._begin(self._abort(run, by, is_shutdown))

    async def _abort(self, run: FollowedRun, by: str, is_shutdown: bool) -> None:
        try:
            if await self._write_wish(run, by, is_shutdown):
                reach(FailPoint.WORKER_ABORT_WRITTEN)
                self._hosts.abort(run.directory.name)
        finally:
            self._aborting.discard(run.key)

    async def _write_wish(self, run: FollowedRun, by: str, is_shutdown: bool) -> bool:
        """When there is room; False if the run is over by then."""
        has_failed = False
        while not run.is_ended and self.runs.get(run.key) is run:
            try:
                wish_abort(run.directory, by, is_shutdown)
            except OSError as error:
                if not has_failed:
                    _logger.error("The wish to abort run %s cannot be written: %s", run.directory.name, error)
                    self._hosts.abort(run.directory.name, by)
                has_failed = True
                await asyncio.sleep(_TRY_AGAIN)
            else:
                return True
        return False

    async def _delete(self, run: FollowedRun) -> None:
        try:
            await asyncio.to_thread(delete_run_directory, run.directory)
        except OSError as error:
            # Found again at the next start, and released again.
            _logger.error("The directory of run %s cannot be deleted: %s", run.directory.name, error)
        self._on_deleted(run.key)

    # ---------- runs whose host has left them

    def _on_finished(self, name: str) -> None:
        key = parse_run_name(name)
        run = self.runs.get(key) if key is not None else None
        if run is None:
            return
        run.look()
        if not run.is_ended:
            sentence = "The run's journal does not say how it ended; the output of its executor host may."
            reason = Reason(ReasonCode.INTERNAL_ERROR, sentence)
            self._begin(self._end([run], reason))

    def _tell_again(self) -> None:
        """A host may have missed something."""
        for run in self.runs:
            run.look()
            if not run.journal.is_claimed:
                self._hosts.execute(run.directory.name)
        self._pass_on_aborts()

    def _pass_on_aborts(self) -> None:
        """Wishes that were written down may not have been passed on."""
        for run in self.runs:
            if not run.is_ended and os.path.lexists(run.directory.abort):
                self._hosts.abort(run.directory.name)

    async def _see_to_lost_runs(self) -> None:
        """Ends the runs whose host is gone, and hands those that it had not begun to another.

        What is left of them on this host may take its time to end, and keeps nobody waiting: the master gives their
        workspaces to no other run before they have ended. Nothing is left of those from before a restart of the host.
        """
        lost: list[FollowedRun] = []
        for run in self.runs:
            run.look()
            if run.is_ended:
                continue
            host = run.journal.host
            if not run.journal.is_claimed:
                self._hosts.execute(run.directory.name)
            elif host is not None and is_alive(host):
                self._hosts.watch(host)
            else:
                lost.append(run)
        restarted = [run for run in lost if run.boot != boot_identifier()]
        if restarted:
            sentence = "The worker's host was restarted while the run was being executed."
            await self._end(restarted, Reason(ReasonCode.HOST_RESTARTED, sentence))
        if others := [run for run in lost if run not in restarted]:
            sentence = "The executor host ended while the run was being executed."
            self._begin(self._end(others, Reason(ReasonCode.EXECUTOR_HOST_LOST, sentence)))

    async def _end(self, runs: list[FollowedRun], reason: Reason) -> None:
        """Each run once, however often and by whomever it is asked for."""
        ending = [run for run in runs if run.key not in self._ending]
        self._ending.update(run.key for run in ending)
        try:
            for run in ending:
                run.look()
            unended = [run for run in ending if not run.is_ended]
            unwritten = await self._end_in_place_of_hosts([run.directory for run in unended], reason)
        finally:
            self._ending.difference_update(run.key for run in ending)
        for run in unended:
            self._look_at_what_is_left(run)
        if again := [run for run in unended if run.directory in unwritten and self.runs.get(run.key) is run]:
            self._begin(self._end_later(again, reason))

    async def _end_in_place_of_hosts(self, runs: Sequence[RunDirectory], reason: Reason) -> Sequence[RunDirectory]:
        """As `RunEndings.end`; whatever goes wrong, no run is left without another try."""
        try:
            return await self._endings.end(runs, reason)
        except Exception:
            _logger.exception("The ends of %d runs cannot be seen to now.", len(runs))
            return runs

    def _look_at_what_is_left(self, run: FollowedRun) -> None:
        """Commands may delete or empty anything, their own run directory too; what is gone cannot be told any more."""
        before = run.sequence
        run.look_anew()
        if not run.directory.path.is_dir():
            _logger.error("The directory of run %s is gone.", run.directory.name)
            self.runs.remove(run)
            self._on_damaged(run.key, None)
        elif run.sequence < before + run.is_ended:
            _logger.error("The journal of run %s had %d events, and has %d.", run.name, before, run.sequence)
            self._on_damaged(run.key, run)
        else:
            self.runs.look_at(run)

    async def _end_later(self, runs: list[FollowedRun], reason: Reason) -> None:
        """When there may be room on the disk."""
        await asyncio.sleep(_TRY_AGAIN)
        await self._end(runs, reason)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(log_faults(work), name="run keeper")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
