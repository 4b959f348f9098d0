"""A worker's host as the simulation knows it: run directories, and executors that outlive the worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from job_orchestra.domain.event_records import EventRecord, event_to_record
from job_orchestra.domain.events import CommandStarted, Ended, Event, Phase, ResultsChanged, Started
from job_orchestra.domain.moments import from_microseconds
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.run_key import RunKey
from tests.simulation.world import World


@dataclass(slots=True)
class RunDirectory:
    journal: list[EventRecord] = field(default_factory=list[EventRecord])
    log: bytearray = field(default_factory=bytearray)
    is_claimed: bool = False
    is_abort_wished: bool = False
    is_ended: bool = False


class Host:
    def __init__(self, world: World) -> None:
        self._world = world
        self.directories: dict[RunKey, RunDirectory] = {}
        self.starts: dict[RunKey, int] = {}
        """How often the commands of each attempt were started: the tally of P2."""
        self.written: dict[RunKey, bytearray] = {}
        """What the commands of each attempt wrote; kept when the directory is deleted."""

    def store(self, key: RunKey) -> None:
        """A request arrives on the disk."""
        assert key not in self.directories
        self.directories[key] = RunDirectory()

    def execute(self, key: RunKey) -> None:
        """An order to carry the run out; claimed once, whoever says it how often."""
        directory = self.directories.get(key)
        if directory is None or directory.is_claimed:
            return
        directory.is_claimed = True
        if directory.is_abort_wished:
            self._end(key, RunStatus.CANCELLED, ReasonCode.CANCEL_REQUESTED)
            return
        self.starts[key] = self.starts.get(key, 0) + 1
        self.written[key] = directory.log
        self._append(key, Started(0, self._date(), {}, "/"))
        self._append(key, CommandStarted(0, self._date(), Phase.COMMANDS, 0, ("true",), 0, 1))
        self._world.soon(lambda: self._continue(key, self._world.chance.randrange(6)), 1.0)

    def abort(self, key: RunKey) -> None:
        directory = self.directories.get(key)
        if directory is not None:
            directory.is_abort_wished = True
            if directory.is_claimed and not directory.is_ended:
                self._world.soon(lambda: self._finish(key, RunStatus.ABORTED, ReasonCode.ABORT_REQUESTED), 0.2)

    def _continue(self, key: RunKey, steps: int) -> None:
        if not self._is_executing(key):
            return
        self.directories[key].log += self._world.chance.randbytes(self._world.chance.randrange(2000))
        if self._world.happens(0.3):
            self._append(key, ResultsChanged(0, self._date(), {"steps": steps}))
        if steps:
            self._world.soon(lambda: self._continue(key, steps - 1), 1.0)
        elif self._world.happens(0.2):
            self._finish(key, RunStatus.FAILED, ReasonCode.COMMAND_FAILED)
        else:
            self._finish(key, RunStatus.SUCCEEDED, ReasonCode.COMPLETED)

    def _is_executing(self, key: RunKey) -> bool:
        return key in self.directories and not self.directories[key].is_ended

    def _finish(self, key: RunKey, status: RunStatus, code: ReasonCode) -> None:
        if self._is_executing(key):
            self._end(key, status, code)

    def _end(self, key: RunKey, status: RunStatus, code: ReasonCode) -> None:
        directory = self.directories[key]
        digest = sha256(directory.log).hexdigest()
        self._append(key, Ended(0, self._date(), status, Reason(code, "."), 1.0, len(directory.log), digest))
        directory.is_ended = True

    def _append(self, key: RunKey, event: Event) -> None:
        journal = self.directories[key].journal
        record = event_to_record(event)
        journal.append(EventRecord(len(journal) + 1, record.kind, record.date, record.data))

    def _date(self) -> datetime:
        return from_microseconds(0) + timedelta(seconds=self._world.now)
