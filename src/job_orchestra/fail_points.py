"""Moments at which a process can be made to kill itself, so that tests meet each gap between "done" and "said".

`ORCHESTRA_FAIL_POINT=master.end_committed` has the process die when it comes there, `…:3` when it comes there for the
third time. Standard library only, and no import of the house, because the executor host imports it too.
"""

from __future__ import annotations

import os
import signal
import time
from enum import StrEnum

VARIABLE = "ORCHESTRA_FAIL_POINT"
_PAUSE = 0.05


class FailPoint(StrEnum):
    """Each by what is durable already, and what is still to be said or done. `storage` is in master and service."""

    SERVICE_TRIGGER_COMMITTED = "service.trigger_committed"
    """The run is pending in the database; neither its client has an answer nor a master the hint."""
    SERVICE_WISH_COMMITTED = "service.wish_committed"
    """The wish to cancel or abort is in the database; neither its client has an answer nor a master the hint."""

    STORAGE_GATHERED = "storage.gathered"
    """Changes are handed in to be committed; none of them is."""
    STORAGE_COMMITTED = "storage.committed"
    """A transaction is committed; none of those who wait for it has an answer."""
    STORAGE_LOG_CREATED = "storage.log_created"
    """The file of a log exists; its name is not durable, and no byte is in it."""
    STORAGE_LOG_WRITTEN = "storage.log_written"
    """Bytes of a log are in its file; they are not durable, and the intake has not been told."""
    STORAGE_LOG_STORED = "storage.log_stored"
    """Bytes of a log are durable; its index does not have them, and the intake has not been told."""
    STORAGE_LOG_COMPRESSED = "storage.log_compressed"
    """A compressed log is whole and durable, and is not called so; the plain one is there as it was."""
    STORAGE_LOG_DOUBLED = "storage.log_doubled"
    """The compressed log has its name; the plain one is still there, and is the one that is read."""

    MASTER_WORKER_REGISTERED = "master.worker_registered"
    """The worker is connected in the database; it has no welcome."""
    MASTER_ASSIGNMENT_COMMITTED = "master.assignment_committed"
    """The run has its worker in the database; `execute` is not sent."""
    MASTER_REFUSAL_RECEIVED = "master.refusal_received"
    """The worker has refused the run, and forgotten it; in the database the run is still the worker's."""
    MASTER_UNASSIGNMENT_COMMITTED = "master.unassignment_committed"
    """The refused run waits again in the database; the dispatcher does not know."""
    MASTER_LOG_APPENDED = "master.log_appended"
    """Bytes of the log are durable; the events that came with them are not, and nothing is acknowledged."""
    MASTER_EVENTS_COMMITTED = "master.events_committed"
    """Events and the run after them are in the database; they are not acknowledged."""
    MASTER_LOG_SEALED = "master.log_sealed"
    """Nobody may append to the log any more; it is not compared, and in the database the run has not ended."""
    MASTER_LOG_VERIFIED = "master.log_verified"
    """The whole log is stored, and compared with the worker's; in the database the run has not ended."""
    MASTER_END_COMMITTED = "master.end_committed"
    """The run has ended, or is retried, in the database; its worker may not delete it yet, and no service is told."""
    MASTER_DELAY_ENDED = "master.delay_ended"
    """The delay before the next attempt is over in the database; the dispatcher does not know."""
    MASTER_LOG_TRUNCATED = "master.log_truncated"
    """The stored log was not the worker's and is empty now; the worker is not told to send it again."""
    MASTER_ABORT_READ = "master.abort_read"
    """The wish to abort is in the database and was read; the worker is not told."""
    MASTER_DOOR_CLOSED = "master.door_closed"
    """Nothing more can be bound to a run that its worker has stopped; those that are bound to it go on."""
    MASTER_ABORT_PASSED_ON = "master.abort_passed_on"
    """All that are bound to it are asked to stop; in the database the run has not ended."""
    MASTER_CANCEL_COMMITTED = "master.cancel_committed"
    """The run is cancelled in the database; no service is told."""
    MASTER_LATE_REPORT_EXPECTED = "master.late_report_expected"
    """What is given up has its place for a late report in the database; the run is as it was."""
    MASTER_LOSS_COMMITTED = "master.loss_committed"
    """A run that its worker has lost has ended in the database; no service is told, and the worker has no welcome."""
    MASTER_TICK_COMMITTED = "master.tick_committed"
    """A tick of a schedule is due in the database, with all that its run is to be; there is no run."""
    MASTER_TICK_TRIGGERED = "master.tick_triggered"
    """The run of a tick is pending in the database; the tick does not name it, and the dispatcher does not know."""
    MASTER_PIPELINE_STARTED = "master.pipeline_started"
    """A pipeline is running in the database; nothing of it is triggered."""
    MASTER_PART_TRIGGERED = "master.part_triggered"
    """A part of a pipeline has its run in the database; neither dispatcher nor journal know of it."""
    MASTER_PART_TOLD = "master.part_told"
    """The journal of a pipeline tells what is new; its log does not."""
    MASTER_PIPELINE_CONCLUDED = "master.pipeline_concluded"
    """The log of a pipeline is whole, with its last line, and sealed; in the database it has not ended."""
    MASTER_ROWS_REMOVED = "master.rows_removed"
    """Runs whose retention is over are gone from the database; their logs, events and late reports are not."""
    MASTER_LOGS_REMOVED = "master.logs_removed"
    """Their logs are gone, too; their events and late reports are not."""

    WORKER_REQUEST_DRAFTED = "worker.request_drafted"
    """The request is on disk under a hidden name; there is no run directory."""
    WORKER_REQUEST_WRITTEN = "worker.request_written"
    """The run directory is durable; no executor host has its name, and the master has no `accepted`."""
    WORKER_HOST_TOLD = "worker.host_told"
    """The run directory is durable and an executor host has its name; the master has no `accepted`."""
    WORKER_HOST_STARTED = "worker.host_started"
    """An executor host is started; the worker is not connected to it."""
    WORKER_ABORT_WRITTEN = "worker.abort_written"
    """The wish to abort is in the run directory; the executor host is not told."""
    WORKER_END_SEEN = "worker.end_seen"
    """`ended` is in the journal and the worker has read it; the master is not told."""
    WORKER_RELEASE_RECEIVED = "worker.release_received"
    """The master has everything and said so; the run directory is there as it was."""
    WORKER_DIRECTORY_HIDDEN = "worker.directory_hidden"
    """The run directory has its hidden name; not all of it is deleted."""
    WORKER_LOSS_LOGGED = "worker.loss_logged"
    """What a lost executor host left is ended, and the log says so; the journal has no `ended`."""
    WORKER_LOSS_JOURNALLED = "worker.loss_journalled"
    """The journal of a run whose executor host was lost has its `ended`; the master is not told."""

    HOST_STARTED = "host.started"
    """The host's identity is written; it has not greeted the worker."""
    HOST_RUN_NAMED = "host.run_named"
    """The request is durable and the host has its name; the run is not claimed."""
    HOST_JOURNAL_DRAFTED = "host.journal_drafted"
    """The first event is on disk under a hidden name; the run is not claimed."""
    HOST_RUN_CLAIMED = "host.run_claimed"
    """The journal exists with `started` in it; nothing of the run is started."""
    HOST_WORKSPACE_TAKEN = "host.workspace_taken"
    """The workspace exists and is locked; no command is started."""
    HOST_COMMAND_SPAWNED = "host.command_spawned"
    """A command is started; `command_started` is not in the journal."""
    HOST_COMMAND_REAPED = "host.command_reaped"
    """A command has ended, and nobody else can learn how; `command_ended` is not in the journal."""
    HOST_RESULTS_READ = "host.results_read"
    """The results of a command are read; they are not in the journal."""
    HOST_LOG_COMPLETE = "host.log_complete"
    """The log has its last line, the workspace is gone if it was the run's own; the journal has no `ended`."""
    HOST_END_JOURNALLED = "host.end_journalled"
    """The journal has its `ended`; the worker is not told that the run is finished."""


class _Armed:
    def __init__(self, point: FailPoint, times: int) -> None:
        self.point = point
        self.left = times


_armed: _Armed | None = None


def arm(setting: str) -> FailPoint | None:
    """What the variable says, empty for nothing, holds for this process from now on; ValueError if there is no such."""
    global _armed
    _armed = _read(setting) if setting else None
    return _armed.point if _armed is not None else None


def is_of_host(setting: str) -> bool:
    """Whether it is the executor host that comes there, which has the variable from its worker."""
    return setting.startswith("host.")


def reach(point: FailPoint) -> None:
    """The process is at this point: it ends here if it was armed for it."""
    if _armed is not None:
        _count(_armed, point)


def _count(armed: _Armed, point: FailPoint) -> None:
    if point is not armed.point:
        return
    armed.left -= 1
    if armed.left == 0:
        # What other threads say too early, or do too late, they have time for now, so that it comes out.
        time.sleep(_PAUSE)
        # So that who looks at the end of the process knows that it was this one. Buffers of its own would be lost.
        os.write(2, f"Fail point {point} is reached: this process kills itself.\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def _read(setting: str) -> _Armed:
    name, separator, times = setting.partition(":")
    if separator and not (times.isascii() and times.isdigit() and int(times) > 0):
        raise ValueError(f"{setting!r} is no fail point: behind the colon there is a number from 1 on")
    try:
        return _Armed(FailPoint(name), int(times or 1))
    except ValueError:
        from difflib import get_close_matches  # only where something is wrong

        close = get_close_matches(name, list(FailPoint), n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(FailPoint)}"
        raise ValueError(f"there is no fail point {name!r}; {hint}") from None
