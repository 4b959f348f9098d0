"""The end of runs that their executor host has left: the worker ends what still executes, and writes the last event."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.event_records import EventRecord, event_to_record
from job_orchestra.domain.events import Ended
from job_orchestra.domain.moments import from_microseconds
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.execution.journal import decode_next, encode_line, read_range, write_all
from job_orchestra.execution.log_end import read_log_end
from job_orchestra.execution.process_end import end_processes
from job_orchestra.execution.process_tree import LogFile, find_marked
from job_orchestra.execution.removal import remove_tree
from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.execution.run_files import make_way, open_run_file
from job_orchestra.execution.workspace_layout import run_workspace, run_workspaces
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.protocol.run_key import RunKey

_logger = logging.getLogger(__name__)

_GRACE = 5.0
"""Of a run whose request cannot be read."""


class RunEndings:
    """Ends runs in place of a host that cannot any more."""

    def __init__(self, workspaces: Path, hosts: Callable[[], Collection[int]]) -> None:
        """`hosts` tells the pids of the executor hosts that live."""
        self._workspaces = workspaces
        self._hosts = hosts

    async def end(self, directories: Sequence[RunDirectory], reason: Reason) -> Sequence[RunDirectory]:
        """Nothing of the runs is left on the host then, and their journals are complete but for those returned."""
        await self._end_processes(directories)
        unwritten: list[RunDirectory] = []
        for directory in directories:
            await asyncio.to_thread(_remove_workspace, run_workspace(self._workspaces, directory.key))
            try:
                await asyncio.to_thread(_write_end, directory, reason)
            except OSError as error:
                _logger.error("The end of run %s cannot be written: %s", directory.name, error)
                unwritten.append(directory)
        return unwritten

    async def remove_orphaned_workspaces(self, runs: Collection[RunKey]) -> None:
        """Those of runs whose directories are gone, by whatever accident; `runs` are all that there are."""
        kept = {run_workspace(self._workspaces, key) for key in runs}
        parent = run_workspaces(self._workspaces)
        found = list(parent.iterdir()) if parent.is_dir() else []
        for orphan in [path for path in found if path not in kept]:
            _logger.warning("The workspace %s is removed: there is no run of that name any more.", orphan)
            await asyncio.to_thread(_remove_workspace, orphan)

    async def _end_processes(self, directories: Sequence[RunDirectory]) -> None:
        runs = {directory.key for directory in directories}
        logs = {log for directory in directories if (log := LogFile.at(directory.log)) is not None}
        grace = max(map(_grace, directories), default=0.0)
        left = await end_processes(lambda: find_marked(runs, logs, {os.getpid(), *self._hosts()}), grace)
        if left:
            _logger.error("These processes of lost runs could not be ended: %s", [one.pid for one in left])


def _grace(directory: RunDirectory) -> float:
    try:
        return directory.read_request().limits.grace
    except (OSError, Invalid):
        return _GRACE


def _remove_workspace(workspace: Path) -> None:
    try:
        remove_tree(workspace)
    except FileNotFoundError:
        pass
    except OSError as error:
        _logger.error("The workspace %s cannot be removed: %s", workspace, error)


def _write_end(directory: RunDirectory, reason: Reason) -> None:
    # Nothing of the run is left that could put something else there again.
    for path in (directory.journal, directory.log):
        make_way(path)
    descriptor = open_run_file(directory.journal, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        records = _repair(descriptor)
        if records and records[-1].kind == "ended":
            return
        if reason.code is not ReasonCode.HOST_RESTARTED:
            # The disk may have lost the last bytes of the log with its host. The master notices by its size; a line
            # behind what is left would pass for them.
            _say_end(directory.log, reason)
        reach(FailPoint.WORKER_LOSS_LOGGED)
        end = read_log_end(directory.log)
        now = datetime.now(UTC)
        began = from_microseconds(records[0].date) if records else now
        duration = max(0.0, (now - began).total_seconds())
        ended = Ended(len(records) + 1, now, RunStatus.EXCEPTION, reason, duration, end.size, end.sha256)
        write_all(descriptor, encode_line(event_to_record(ended)))
        reach(FailPoint.WORKER_LOSS_JOURNALLED)
    finally:
        os.close(descriptor)


def _repair(descriptor: int) -> list[EventRecord]:
    """The events of the journal; what follows the last good line is cut off: its writer was killed within it."""
    records: list[EventRecord] = []
    size = 0
    content = read_range(descriptor, 0, os.fstat(descriptor).st_size)
    for line in content.split(b"\n")[:-1]:
        record = decode_next(line, len(records))
        if record is None:
            break
        records.append(record)
        size += len(line) + 1
    os.ftruncate(descriptor, size)
    return records


def _say_end(log: Path, reason: Reason) -> None:
    """A last line, written once; what an attempt on a full disk left of it is taken back."""
    line = f"[orchestra] Run exception ({reason.code}): {reason.sentence}\n".encode()
    descriptor = open_run_file(log, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        size = os.fstat(descriptor).st_size
        last = os.pread(descriptor, len(line), max(0, size - len(line)))
        if last == line:
            return  # said by a worker that could not, or died before it could, write the end into the journal
        try:
            write_all(descriptor, line if not last or last.endswith(b"\n") else b"\n" + line)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
