"""A worker's machine as the simulation knows it: its disk, and the executor host, which outlives the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from job_orchestra.domain.event_records import EventRecord, event_to_record
from job_orchestra.domain.events import CommandEnded, CommandStarted, Ended, Event, Phase, ResultsChanged, Started
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.run_key import RunKey
from tests.simulation.world import World

_MOST_STEPS = 6


@dataclass(slots=True)
class Directory:
    """Of one attempt."""

    boot: int
    """Of the machine, when the request was written."""
    journal: list[EventRecord] = field(default_factory=list[EventRecord])
    log: bytearray = field(default_factory=bytearray)
    host: int | None = None
    """The life of the executor host that has claimed it."""
    abort_by: str | None = None

    @property
    def is_ended(self) -> bool:
        return bool(self.journal) and self.journal[-1].kind == "ended"

    @property
    def is_claimed(self) -> bool:
        return bool(self.journal)


@dataclass(slots=True)
class Attempt:
    """What really became of an attempt, whoever knows of it; never forgotten."""

    machine: str
    starts: int = 0
    """How often its commands were started."""
    log: bytearray = field(default_factory=bytearray)
    """What its commands, and those who ended it, wrote."""
    earlier_logs: list[bytes] = field(default_factory=list[bytes])
    """What it had written before the machine lost the end of that."""
    lost: set[ReasonCode] = field(default_factory=set[ReasonCode])
    """What has befallen it."""
    ended: Ended | None = None


class Machine:
    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.boot = 1
        self.host = 1
        """The life of the executor host."""
        self.is_host_alive = True
        self.installation = 1
        """Which worker directory it is; another one is another instance of the worker."""
        self.paces: Sequence[float] = (0.1,)
        """Seconds that a step of a run may take."""
        self.grace = world.chance.choice([0.3, 5.0])
        """Seconds that an abort may take; what executes goes on writing meanwhile."""
        self.directories: dict[RunKey, Directory] = {}
        self.attempts: dict[RunKey, Attempt] = {}
        self.on_change: Callable[[RunKey], None] = lambda _: None
        """The kernel's notices, for the worker that lives."""
        self.on_host_end: Callable[[], None] = lambda: None
        self.on_abort: Callable[[RunKey], None] = lambda _: None
        """Hears when commands are about to be aborted."""

    @property
    def instance(self) -> str:
        """Of the worker whose directory it has."""
        return f"{self.name}-{self.installation}"

    # ---------- what the worker asks

    def store(self, key: RunKey) -> None:
        """A request arrives on the disk."""
        self.world.require(key not in self.directories, f"P2: the request of {key} is written twice")
        self.directories[key] = Directory(self.boot)

    def execute(self, key: RunKey) -> None:
        """The host is told; it claims the run once, whoever says it how often."""
        host = self.host
        self.world.soon(lambda: self._claim(key, host))

    def abort(self, key: RunKey) -> None:
        """The host is told to look at the wish in the directory."""
        host = self.host
        self.world.soon(lambda: self._heed_abort(key, host))

    def start_host(self) -> None:
        if not self.is_host_alive:
            self.host += 1
            self.is_host_alive = True

    # ---------- what happens to it

    def end_host(self) -> None:
        if not self.is_host_alive:
            return
        self.is_host_alive = False
        self._note_loss(ReasonCode.EXECUTOR_HOST_LOST)
        self.on_host_end()

    def reboot(self) -> None:
        """Everything ends; what was not yet on the disk itself is gone."""
        self.is_host_alive = False
        self.boot += 1
        self._note_loss(ReasonCode.HOST_RESTARTED)
        for key, directory in self.directories.items():
            if self.world.happens(0.5) and not directory.is_ended:
                self._lose_ends(key, directory)

    def lose_directory(self) -> None:
        """The worker's directory is deleted with everything in it; what executes there comes to nothing."""
        self.end_host()
        self._note_loss(ReasonCode.WORKER_LOST)
        self.directories.clear()
        self.installation += 1

    def _note_loss(self, code: ReasonCode) -> None:
        for key in self.directories:
            self._attempt(key).lost.add(code)

    def _lose_ends(self, key: RunKey, directory: Directory) -> None:
        chance = self.world.chance
        attempt = self._attempt(key)
        attempt.earlier_logs.append(bytes(attempt.log))
        attempt.lost.add(ReasonCode.WORKER_LOST)
        del directory.log[chance.randint(0, len(directory.log)) :]
        del directory.journal[chance.randint(0, len(directory.journal)) :]
        attempt.log[:] = directory.log

    # ---------- what the executor host does

    def _attempt(self, key: RunKey) -> Attempt:
        attempt = self.attempts.get(key)
        if attempt is None:
            attempt = self.attempts[key] = Attempt(self.name)
        return attempt

    def _claim(self, key: RunKey, host: int) -> None:
        directory = self.directories.get(key)
        if not self._lives(host) or directory is None or directory.is_claimed:
            return
        if directory.boot != self.boot:
            self.end(key, RunStatus.EXCEPTION, ReasonCode.HOST_RESTARTED)
            return
        directory.host = host
        if directory.abort_by is not None:
            self.end(key, RunStatus.CANCELLED, ReasonCode.CANCEL_REQUESTED)
            return
        self._append(key, Started(0, self.world.clock.now(), {}, "/"))
        self.world.soon(lambda: self._start(key, host), 0.01)

    def _start(self, key: RunKey, host: int) -> None:
        if not self._is_executing(key, host):
            return
        if self.directories[key].abort_by is not None:
            self.on_abort(key)
            self._abort(key, host)
            return
        attempt = self._attempt(key)
        attempt.starts += 1
        self.world.say(self.name, f"starts the commands of {key}")
        self.world.require(attempt.starts == 1, f"P2: the commands of {key} are started {attempt.starts} times")
        offset = len(self.directories[key].log)
        self._append(key, CommandStarted(0, self.world.clock.now(), Phase.COMMANDS, 0, ("true",), offset, 1))
        pace = self.world.chance.choice(self.paces)
        steps = self.world.chance.randrange(_MOST_STEPS)
        self.world.soon(lambda: self._continue(key, host, steps, pace), pace)

    def _continue(self, key: RunKey, host: int, steps: int, pace: float) -> None:
        if not self._is_executing(key, host):
            return
        chance = self.world.chance
        self.write(key, chance.randbytes(chance.randrange(2000)))
        if chance.random() < 0.3:
            self._append(key, ResultsChanged(0, self.world.clock.now(), {"steps": steps}))
        self.on_change(key)
        if steps:
            self.world.soon(lambda: self._continue(key, host, steps - 1, pace), pace)
            return
        is_good = chance.random() < 0.8
        size = len(self.directories[key].log)
        ended = CommandEnded(0, self.world.clock.now(), Phase.COMMANDS, 0, 0 if is_good else 1, 1.0, size)
        self._append(key, ended)
        if is_good:
            self.end(key, RunStatus.SUCCEEDED, ReasonCode.COMPLETED)
        elif chance.random() < 0.5:
            self.end(key, RunStatus.ABORTED, ReasonCode.LOG_LIMIT)
        else:
            self.end(key, RunStatus.FAILED, ReasonCode.COMMAND_FAILED)

    def _heed_abort(self, key: RunKey, host: int) -> None:
        directory = self.directories.get(key)
        if directory is not None and directory.abort_by is not None and self._is_executing(key, host):
            self.on_abort(key)
            self.world.soon(lambda: self._abort(key, host), self.grace)

    def _abort(self, key: RunKey, host: int) -> None:
        if self._is_executing(key, host):
            self.end(key, RunStatus.ABORTED, ReasonCode.ABORT_REQUESTED)

    def _lives(self, host: int) -> bool:
        return self.is_host_alive and self.host == host

    def _is_executing(self, key: RunKey, host: int) -> bool:
        directory = self.directories.get(key)
        return self._lives(host) and directory is not None and directory.host == host and not directory.is_ended

    # ---------- the files

    def write(self, key: RunKey, data: bytes) -> None:
        self.directories[key].log += data
        self._attempt(key).log += data

    def end(self, key: RunKey, status: RunStatus, code: ReasonCode) -> None:
        """The last event; behind it nothing of the attempt changes any more."""
        log = self.directories[key].log
        ended = Ended(
            0, self.world.clock.now(), status, Reason(code, "Simulated."), 1.0, len(log), sha256(log).hexdigest()
        )
        self._append(key, ended)
        self._attempt(key).ended = ended
        self.world.say(self.name, f"{key} is {status} ({code}), {len(log)} bytes")

    def _append(self, key: RunKey, event: Event) -> None:
        journal = self.directories[key].journal
        record = event_to_record(event)
        journal.append(EventRecord(len(journal) + 1, record.kind, record.date, record.data))
        self.on_change(key)
