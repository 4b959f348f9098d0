"""What leads to each fail point, and what the run has to come to although a process died there."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from job_orchestra.client.call import Call
from job_orchestra.client.calls import jobs, runs
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.execution.process_tree import find_marked
from job_orchestra.execution.run_directory import RUNS, RunDirectory
from job_orchestra.execution.workspace_layout import WORKSPACES
from job_orchestra.fail_points import FailPoint
from job_orchestra.protocol.resources.runs import RunAnswer
from job_orchestra.protocol.run_key import RunKey
from tests.fail_points.applications import Applications, until

PROJECT = "example"
_KEY = "nightly build of 2026-07-01"


class Play:
    """One run on an installation of its own."""

    def __init__(self, applications: Applications, directory: Path) -> None:
        self.applications = applications
        self.tally = directory / "tally"
        self.tally.touch()
        self.gate = directory / "gate"
        self.identifier = ""
        self._is_gated = False
        self._job = ""

    # ---------- the run

    def trigger(self, job: str = "work", is_gated: bool = False) -> None:
        """The service may die of it."""
        self._job, self._is_gated = job, is_gated
        if is_gated:
            os.mkfifo(self.gate)
        with suppress(Unavailable):
            self.identifier = self.trigger_again()

    def trigger_again(self) -> str:
        """With the same key; the run's identifier."""
        parameters: JsonObject = {"tally": str(self.tally), "gate": str(self.gate) if self._is_gated else ""}
        call = jobs.trigger(PROJECT, self._job, parameters, idempotency_key=_KEY)
        return self.applications.client.send(call).identifier

    @property
    def run(self) -> RunAnswer:
        return self.applications.client.send(runs.get(PROJECT, self.identifier))

    @property
    def key(self) -> RunKey:
        return RunKey(self.identifier, self.run.attempt)

    @property
    def is_ended(self) -> bool:
        return RunStatus(self.run.status).is_terminal

    def has_died(self, case: Case) -> bool:
        return self.applications.has_reached(case.application, case.point)

    def wish(self, call: Call[RunAnswer]) -> None:
        """The service may die of it."""
        with suppress(Unavailable):
            self.applications.client.send(call)

    # ---------- its command

    @contextmanager
    def at_the_gate(self) -> Generator[None]:
        """While the command waits in the middle of its output; then it goes on."""

        def open_gate() -> int | None:
            try:
                return os.open(self.gate, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                assert error.errno == errno.ENXIO  # nobody waits there yet
                return None

        descriptor = until(open_gate, "the command comes to its gate")
        assert descriptor
        try:
            yield
        finally:
            os.close(descriptor)

    def processes(self) -> list[int]:
        return [process.pid for process in find_marked({self.key}, (), {os.getpid()})]

    @property
    def directory(self) -> RunDirectory:
        return RunDirectory.of(self.applications.worker_directory / RUNS, self.key)

    @property
    def stored_logs(self) -> list[Path]:
        """The files that there are bytes in."""
        return [path for path in self.applications.logs.rglob("*.log") if path.stat().st_size]


# ---------- scenarios: up to the `yield` a process dies of the fail point, behind it that one is started again

Scenario: TypeAlias = Callable[[Play], AbstractContextManager[None]]


@contextmanager
def work(play: Play) -> Generator[None]:
    play.trigger()
    yield


@contextmanager
def work_on(play: Play) -> Generator[None]:
    """The run does not end before the death."""
    play.trigger(is_gated=True)
    with play.at_the_gate():
        yield


@contextmanager
def fail_at_first(play: Play) -> Generator[None]:
    """The first attempt fails, and another one is made a moment later."""
    play.trigger("unsteady")
    yield


@contextmanager
def abort(play: Play) -> Generator[None]:
    play.trigger(is_gated=True)
    with play.at_the_gate():
        play.wish(runs.abort(PROJECT, play.identifier))
        yield
        until(lambda: play.run.status == "aborted", "the run is aborted")


@contextmanager
def cancel(play: Play) -> Generator[None]:
    play.trigger("nowhere")
    play.wish(runs.cancel(PROJECT, play.identifier))
    yield


@contextmanager
def refuse(play: Play) -> Generator[None]:
    """The worker cannot write the request, until its directory is back."""
    directory = play.applications.worker_directory
    away = (directory / RUNS).rename(directory / "away")
    play.trigger()
    yield
    away.rename(directory / RUNS)


@contextmanager
def corrupt_log(play: Play) -> Generator[None]:
    """The stored log is not what was written, which comes out in the end."""
    play.trigger(is_gated=True)
    with play.at_the_gate():
        (stored,) = until(lambda: play.stored_logs, "bytes of the log are stored")
        with stored.open("r+b") as file:
            file.write(b"X")
    yield


@contextmanager
def lose_host(play: Play) -> Generator[None]:
    play.trigger(is_gated=True)
    with play.at_the_gate():
        play.applications.kill_hosts()
        yield
        until(lambda: play.run.status == "exception", "the run is ended by the worker")


@contextmanager
def lose_data(play: Play) -> Generator[None]:
    """Everything that the worker has of the run goes, and the worker comes back."""
    with _lost("work", play):
        yield


@contextmanager
def lose_data_and_retry(play: Play) -> Generator[None]:
    with _lost("again", play):
        yield


@contextmanager
def _lost(job: str, play: Play) -> Generator[None]:
    play.trigger(job, is_gated=True)
    with play.at_the_gate():
        until(lambda: play.run.status == "running", "the run is running")
        play.applications.end("worker")
        play.applications.end_hosts()
        for pid in play.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(play.directory.path)
        shutil.rmtree(play.applications.worker_directory / WORKSPACES)
        play.applications.start("worker")
        yield


@contextmanager
def come_back_late(play: Play) -> Generator[None]:
    """The worker stays away until the run is given up, while the first attempt goes on there."""
    play.trigger("again", is_gated=True)
    with play.at_the_gate():
        until(lambda: play.run.status == "running", "the run is running")
        play.applications.end("worker")
        yield
        until(lambda: play.run.attempt == 2, "the first attempt is given up")
        play.applications.start("worker")
        until(lambda: play.is_ended, "the second attempt ends before the first")


# ---------- between the death and the next start


def nothing(play: Play) -> None:
    pass


def half_delete(play: Play) -> None:
    """As a process does that dies a moment later."""
    (hidden,) = (play.applications.worker_directory / RUNS).iterdir()
    assert hidden.name.startswith(".")
    (hidden / "request.json").unlink()


# ---------- cases


@dataclass(frozen=True, slots=True)
class Case:
    application: str
    """That is started with the fail point, and without it after the death."""
    point: FailPoint
    times: int = 1
    scenario: Scenario = work
    meanwhile: Callable[[Play], None] = nothing
    outcome: tuple[str, str] = ("succeeded", "completed")

    def __str__(self) -> str:
        name = f"{self.application}-{self.point}-{self.times}"
        return name if self.scenario is work else f"{name}-{self.scenario.__name__}"

    @property
    def is_lost(self) -> bool:
        """Nobody could end the run in order: its commands got as far as they did."""
        return self.outcome[1] in {"executor_host_lost", "worker_lost"}


_ABORTED = ("aborted", "abort_requested")
_CANCELLED = ("cancelled", "cancel_requested")
_HOST_LOST = ("exception", "executor_host_lost")
_WORKER_LOST = ("exception", "worker_lost")

CASES = (
    Case("service", FailPoint.SERVICE_TRIGGER_COMMITTED),
    Case("service", FailPoint.SERVICE_WISH_COMMITTED, scenario=abort, outcome=_ABORTED),
    Case("service", FailPoint.SERVICE_WISH_COMMITTED, scenario=cancel, outcome=_CANCELLED),
    *(Case("service", FailPoint.STORAGE_COMMITTED, times) for times in (1, 2)),
    *(Case("master", FailPoint.STORAGE_COMMITTED, times) for times in range(1, 9)),
    Case("master", FailPoint.STORAGE_LOG_CREATED),
    Case("master", FailPoint.STORAGE_LOG_WRITTEN),
    Case("master", FailPoint.STORAGE_LOG_STORED),
    Case("master", FailPoint.MASTER_WORKER_REGISTERED),
    Case("master", FailPoint.MASTER_ASSIGNMENT_COMMITTED),
    Case("master", FailPoint.MASTER_REFUSAL_RECEIVED, scenario=refuse),
    Case("master", FailPoint.MASTER_UNASSIGNMENT_COMMITTED, scenario=refuse),
    Case("master", FailPoint.MASTER_LOG_APPENDED),
    Case("master", FailPoint.MASTER_EVENTS_COMMITTED, scenario=work_on),
    Case("master", FailPoint.MASTER_LOG_SEALED),
    Case("master", FailPoint.MASTER_LOG_VERIFIED),
    Case("master", FailPoint.MASTER_END_COMMITTED),
    Case("master", FailPoint.MASTER_END_COMMITTED, scenario=fail_at_first),
    Case("master", FailPoint.MASTER_DELAY_ENDED, scenario=fail_at_first),
    Case("master", FailPoint.MASTER_LOG_TRUNCATED, scenario=corrupt_log),
    Case("master", FailPoint.MASTER_ABORT_READ, scenario=abort, outcome=_ABORTED),
    Case("master", FailPoint.MASTER_CANCEL_COMMITTED, scenario=cancel, outcome=_CANCELLED),
    Case("master", FailPoint.MASTER_LATE_REPORT_EXPECTED, scenario=lose_data, outcome=_WORKER_LOST),
    Case("master", FailPoint.MASTER_LOSS_COMMITTED, scenario=lose_data, outcome=_WORKER_LOST),
    Case("master", FailPoint.MASTER_LATE_REPORT_EXPECTED, scenario=come_back_late),
    Case("master", FailPoint.MASTER_LOSS_COMMITTED, scenario=lose_data_and_retry),
    Case("master", FailPoint.MASTER_LOSS_COMMITTED, scenario=come_back_late),
    Case("worker", FailPoint.WORKER_REQUEST_DRAFTED),
    Case("worker", FailPoint.WORKER_REQUEST_WRITTEN),
    Case("worker", FailPoint.WORKER_HOST_TOLD),
    Case("worker", FailPoint.WORKER_HOST_STARTED),
    Case("worker", FailPoint.WORKER_ABORT_WRITTEN, scenario=abort, outcome=_ABORTED),
    Case("worker", FailPoint.WORKER_END_SEEN),
    Case("worker", FailPoint.WORKER_RELEASE_RECEIVED),
    Case("worker", FailPoint.WORKER_DIRECTORY_HIDDEN, meanwhile=half_delete),
    Case("worker", FailPoint.WORKER_LOSS_LOGGED, scenario=lose_host, outcome=_HOST_LOST),
    Case("worker", FailPoint.WORKER_LOSS_JOURNALLED, scenario=lose_host, outcome=_HOST_LOST),
    Case("worker", FailPoint.HOST_STARTED),
    Case("worker", FailPoint.HOST_RUN_NAMED),
    Case("worker", FailPoint.HOST_JOURNAL_DRAFTED),
    Case("worker", FailPoint.HOST_RUN_CLAIMED, outcome=_HOST_LOST),
    Case("worker", FailPoint.HOST_WORKSPACE_TAKEN, outcome=_HOST_LOST),
    *(Case("worker", FailPoint.HOST_COMMAND_SPAWNED, times, outcome=_HOST_LOST) for times in (1, 2, 3)),
    *(Case("worker", FailPoint.HOST_COMMAND_REAPED, times, outcome=_HOST_LOST) for times in (1, 2, 3)),
    Case("worker", FailPoint.HOST_RESULTS_READ, outcome=_HOST_LOST),
    Case("worker", FailPoint.HOST_LOG_COMPLETE, outcome=_HOST_LOST),
    Case("worker", FailPoint.HOST_END_JOURNALLED),
)
