"""The run directories of the worker, and how far their journals and logs reach."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.execution.journal import JournalReader, read_range
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.execution.run_files import NoRegularFile, open_run_file, size_of_run_file
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.worker.run_watches import RunWatches

_logger = logging.getLogger(__name__)

_GATHER = 0.003
"""Seconds between two looks when there is much to see; the first notice after a pause is followed at once."""


class FollowedRun:
    """One run directory."""

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory
        self.key = directory.key
        self.journal = JournalReader(directory.journal)
        self.log_size = 0
        self._is_unreadable = False
        self._known_request: Request | None = None

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def sequence(self) -> int:
        """Of the last event in the journal."""
        return self.journal.sequence

    @property
    def is_ended(self) -> bool:
        return self.journal.is_ended

    def journal_size(self, after: int, last: int) -> int:
        """As `JournalReader.size_between`."""
        return self.journal.size_between(after, last)

    @property
    def boot(self) -> str:
        """Of the host when the run came to it; the journal may have been lost with the host, the request is not."""
        if self.journal.host is not None:
            return self.journal.host.boot
        return boot_identifier() if self._request is None else self._request.boot

    @property
    def _request(self) -> Request | None:
        """None as long as it cannot be read, be it for want of descriptors."""
        if self._known_request is None:
            with suppress(OSError, Invalid):
                self._known_request = self.directory.read_request()
        return self._known_request

    @property
    def _log_limit(self) -> int:
        limit = None if self._request is None else self._request.limits.log_size
        return sys.maxsize if limit is None else limit

    def read_journal(self, after: int, limit: int) -> list[EventRecord]:
        """As `JournalReader.read`."""
        return self.journal.read(after, limit)

    def read_log(self, offset: int, size: int) -> bytes:
        """Less than `size` only where the log ends, and while a command has removed or replaced it."""
        try:
            descriptor = open_run_file(self.directory.log, os.O_RDONLY)
        except (FileNotFoundError, NoRegularFile):
            if self.is_ended:
                raise
            return b""
        try:
            return read_range(descriptor, offset, size)
        finally:
            os.close(descriptor)

    def look_anew(self) -> None:
        """As `look`, also where the journal was repaired meanwhile."""
        self.journal = JournalReader(self.directory.journal)
        self.look()

    def look(self) -> None:
        # In this order: where the journal has its end, it says how long the log is. A process that could not be ended
        # may append to the file for ever.
        try:
            self.journal.look()
            size = self.journal.final_log_size
            # What is above the limit may be cut yet, so it counts when the run has ended.
            self.log_size = min(size_of_run_file(self.directory.log), self._log_limit) if size is None else size
        except FileNotFoundError:
            pass
        except OSError as error:
            if not self._is_unreadable:
                _logger.error("The directory of run %s cannot be read: %s", self.directory.name, error)
            self._is_unreadable = True


class FollowedRuns:
    """`on_grown` hears of each run that has changed, `on_looked` once after all of them.

    `on_hindered` as `RunWatches` says.
    """

    def __init__(
        self,
        on_grown: Callable[[FollowedRun], None],
        on_looked: Callable[[], None],
        on_hindered: Callable[[str], None],
    ) -> None:
        self._on_grown = on_grown
        self._on_looked = on_looked
        self._loop = asyncio.get_running_loop()
        self._runs: dict[RunKey, FollowedRun] = {}
        self._changed: dict[RunKey, FollowedRun] = {}
        self._look: asyncio.TimerHandle | None = None
        self._looked_at = 0.0
        self._watches = RunWatches(self._on_changed, on_hindered)

    def __iter__(self) -> Iterator[FollowedRun]:
        return iter(list(self._runs.values()))

    def get(self, key: RunKey) -> FollowedRun | None:
        return self._runs.get(key)

    def add(self, directory: RunDirectory) -> FollowedRun:
        """Follows the run from now on; it has been looked at."""
        run = FollowedRun(directory)
        self._runs[run.key] = run
        self._watches.add(directory)
        run.look()
        return run

    def remove(self, run: FollowedRun) -> None:
        """Its directory may be deleted now."""
        self._runs.pop(run.key, None)
        self._changed.pop(run.key, None)
        self._watches.remove(run.key)

    def close(self) -> None:
        if self._look is not None:
            self._look.cancel()
        self._watches.close()

    def look_at(self, run: FollowedRun) -> None:
        """Soon, as after a notice."""
        self._changed[run.key] = run
        self._look_soon()

    def _on_changed(self, keys: Iterable[RunKey]) -> None:
        self._changed.update((key, run) for key in keys if (run := self._runs.get(key)) is not None)
        self._look_soon()

    def _look_soon(self) -> None:
        if self._look is None and self._changed:
            self._look = self._loop.call_at(self._looked_at + _GATHER, self._look_now)

    def _look_now(self) -> None:
        self._look = None
        self._looked_at = self._loop.time()
        changed, self._changed = self._changed, {}
        for run in changed.values():
            run.look()
            self._on_grown(run)
        self._on_looked()
