"""The executor host: carries out the runs that workers name over its socket, and outlives them."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import traceback
from pathlib import Path

from job_orchestra.domain.errors import OrchestraError
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.execution.host_directory import HostDirectory
from job_orchestra.execution.host_messages import (
    AbortRun,
    AreYouThere,
    ExecuteRun,
    HereIAm,
    HostHello,
    RunFinished,
    StopWhenIdle,
    ToWorker,
    decode_to_host,
    encode_host_message,
)
from job_orchestra.execution.process_identity import identity_to_data, own_identity
from job_orchestra.execution.run_directory import RUNS, RunDirectory, parse_run_name
from job_orchestra.execution.threads import ready_threads
from job_orchestra.execution.workspace_layout import MIRRORS
from job_orchestra.executor.admission import Admission
from job_orchestra.executor.children import Children
from job_orchestra.executor.outcome import Outcome
from job_orchestra.executor.roster import Roster
from job_orchestra.executor.run_execution import RunExecution
from job_orchestra.executor.surroundings import Surroundings, given_environment
from job_orchestra.executor.workspaces import Workspaces
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.version import __version__


class ExecutorHost:
    """Beside one worker; exits when told to and idle, or when idle and no worker has come for `linger` seconds."""

    def __init__(self, worker_directory: Path, directory: HostDirectory, linger: float) -> None:
        self._runs = worker_directory / RUNS
        self._directory = directory
        self._linger = linger
        self._active: dict[str, RunExecution] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._abandoned: list[str] = []
        """Runs that were left without their end, by a fault of this program."""
        self._is_stopping = False
        self._exit = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._children = Children()
        self._roster = Roster()
        self._surroundings = Surroundings(
            version=__version__,
            identity=own_identity(),
            host_name=socket.gethostname(),
            python=sys.executable,
            environment=given_environment(),
            children=self._children,
            workspaces=Workspaces(worker_directory),
            mirrors=worker_directory.absolute() / MIRRORS,
            admission=Admission(),
            roster=self._roster,
        )

    async def serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ready_threads())
        loop.add_signal_handler(signal.SIGCHLD, self._children.reap)
        loop.add_signal_handler(signal.SIGTERM, self._shut_down)
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        self._directory.identity.write_text(json.dumps(identity_to_data(self._surroundings.identity)))
        reach(FailPoint.HOST_STARTED)
        server = await asyncio.start_unix_server(self._welcome, sock=listener)
        self._consider_exit()
        await self._exit.wait()
        server.close()
        for writer, serving in list(self._workers.items()):
            writer.close()
            await serving

    # ---------- workers

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # No coroutine: asyncio has a traceback to show of one of those that is cancelled, as the end of this process
        # does with whoever came in its last moment.
        self._workers[writer] = asyncio.create_task(self._serve_worker(reader, writer))
        self._consider_exit()

    async def _serve_worker(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tell(writer, HostHello(__version__, self._surroundings.identity, tuple(self._active)))
        for name in self._abandoned:
            self._tell(writer, RunFinished(name))
        try:
            while line := await reader.readline():
                self._heed(line, writer)
        except (OSError, ValueError) as error:
            # A connection that broke, or a line without end: whoever that was, the runs go on.
            sys.stderr.write(f"A connection was dropped: {error}\n")
        finally:
            del self._workers[writer]
            writer.close()
            self._consider_exit()

    def _heed(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            message = decode_to_host(line)
            if isinstance(message, AreYouThere):
                self._tell(writer, HereIAm())
            else:
                self._receive(message)
        except (OSError, ValueError, KeyError, OrchestraError) as error:
            # Nonsense, or a run directory that cannot be read: what is said of other runs is heeded all the same.
            sys.stderr.write(f"A message was left alone: {error}\n")

    def _receive(self, message: ExecuteRun | AbortRun | StopWhenIdle) -> None:
        match message:
            case ExecuteRun(name):
                if parse_run_name(name) is not None and name not in self._active and not self._is_stopping:
                    reach(FailPoint.HOST_RUN_NAMED)
                    self._begin(name)
            case AbortRun(name, by):
                if name in self._active:
                    self._active[name].heed_abort(by)
            case StopWhenIdle():
                self._is_stopping = True
                self._consider_exit()

    def _tell(self, writer: asyncio.StreamWriter, message: ToWorker) -> None:
        if not writer.is_closing():
            writer.write(encode_host_message(message))

    # ---------- runs

    def _begin(self, name: str) -> None:
        self._roster.enter(name)
        execution = self._active[name] = RunExecution(RunDirectory(self._runs / name), self._surroundings)
        task = asyncio.create_task(self._carry_out(name, execution))
        # The loop itself keeps only a weak reference.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, name: str, execution: RunExecution) -> None:
        try:
            await execution.carry_out()
        except Exception:  # the worker sees to a run that was left without its end; the others go on
            traceback.print_exc()
            self._abandoned.append(name)
        finally:
            del self._active[name]
            self._roster.leave(name)
            for writer in self._workers:
                self._tell(writer, RunFinished(name))
            self._consider_exit()

    # ---------- the end of the host

    def _shut_down(self) -> None:
        """The machine goes down, or someone wants this process to: what can be ended in order is."""
        self._is_stopping = True
        for execution in self._active.values():
            execution.stop(Outcome.aborted(ReasonCode.SHUTDOWN, "The executor host was told to shut down."))
        self._consider_exit()

    def _consider_exit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._active:
            return
        if self._is_stopping:
            self._exit.set()
        elif not self._workers:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self._exit.set)
