"""The master's side of the conversation with one connection of a worker, without I/O.

It knows how far each run's journal and log have been received, lets pass what continues them, drops what repeats,
and refuses what leaves a gap or is about a run that is not this worker's. What is durable it acknowledges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from job_orchestra.protocol.messages import (
    PROTOCOL_VERSION,
    Accepted,
    Acknowledged,
    Events,
    Goodbye,
    Hello,
    Hindered,
    JournalEvent,
    Log,
    Refused,
    Release,
    Resume,
    RunOnDisk,
    SendAgain,
    ToMaster,
    Welcome,
)
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run assigned to the worker that has not ended: how far its journal and log are durable."""

    key: RunKey
    sequence: int
    log_size: int


@dataclass(frozen=True, slots=True)
class Greeting:
    """What follows from a hello and the stored runs."""

    welcome: Welcome
    to_execute: tuple[RunKey, ...]
    """Assigned, and not on the worker's disk: to be sent (again)."""
    missing: tuple[RunKey, ...]
    """Taken up by the worker once, and no longer on its disk, or not as far as it had reported: they are lost.

    What is on its disk still is resumed from its beginning, to be told late.
    """
    restarted: tuple[RunKey, ...] = ()
    """Likewise, because its host was restarted meanwhile."""


# ---------- what the shell is to do


@dataclass(frozen=True, slots=True)
class TakenOver:
    key: RunKey


@dataclass(frozen=True, slots=True)
class PutBack:
    key: RunKey
    reason: str


@dataclass(frozen=True, slots=True)
class StoreEvents:
    key: RunKey
    events: tuple[JournalEvent, ...]


@dataclass(frozen=True, slots=True)
class StoreLog:
    key: RunKey
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class HindranceChanged:
    by: str


@dataclass(frozen=True, slots=True)
class Dismissed:
    goodbye: Goodbye


Effect: TypeAlias = TakenOver | PutBack | StoreEvents | StoreLog | HindranceChanged | Dismissed


_LONGEST_HINDRANCE = 200
_FINISHED_REMEMBERED = 10_000
"""Far more than fit into what a worker may have in flight."""


@dataclass(slots=True)
class _Received:
    sequence: int
    log_size: int


class MasterSession:
    """One for each connection of a worker."""

    def __init__(self) -> None:
        self._runs: dict[RunKey, _Received] = {}
        self._finished: dict[RunKey, None] = {}
        """Released or put back over this connection, oldest first: what the worker said before it knew is dropped."""

    def greet(
        self, hello: Hello, stored: Iterable[StoredRun], version: str, master: str, late: Iterable[StoredRun] = ()
    ) -> Greeting:
        """The answer to the first message, from the runs that the database has for this worker.

        `late` are attempts that count no more and of which not everything was told yet: they are resumed all the same.
        A run of the hello that is among neither has ended with everything stored, or nobody wants to know of it.
        """
        if hello.protocol != PROTOCOL_VERSION:
            raise ProtocolViolation(
                f"Worker {hello.identifier} speaks protocol {hello.protocol}, this master {PROTOCOL_VERSION}: "
                f"install the same version of Job Orchestra on both (worker {hello.version}, master {version})."
            )
        on_disk = {RunKey(run.run, run.attempt): run for run in hello.runs}
        resume: list[Resume] = []
        release: list[RunOnDisk] = []
        to_execute: list[RunKey] = []
        missing: list[RunKey] = []
        restarted: list[RunKey] = []
        known = {run.key: run for run in stored}
        reported_late = {run.key: run for run in late}
        for key, run in on_disk.items():
            facts = known.get(key) or reported_late.get(key)
            if facts is None:
                release.append(run)
                self._finish(key)
            elif _has_lost(run, facts):
                # It is given up; what is left of it is told from its beginning, as a late report.
                if key in known:
                    (missing if run.is_of_this_boot else restarted).append(key)
                resume.append(self._resume(key, 0, 0))
            else:
                resume.append(self._resume(key, facts.sequence, facts.log_size))
        for key, facts in known.items():
            if key in on_disk:
                continue
            if facts.sequence == 0 and facts.log_size == 0:
                to_execute.append(key)
            else:
                missing.append(key)
        welcome = Welcome(PROTOCOL_VERSION, version, master, tuple(resume), tuple(release))
        return Greeting(welcome, tuple(to_execute), tuple(missing), tuple(restarted))

    def _resume(self, key: RunKey, sequence: int, log_size: int) -> Resume:
        self._runs[key] = _Received(sequence, log_size)
        return Resume(key.run, key.attempt, sequence, log_size)

    def execute(self, key: RunKey) -> bool:
        """Whether to send `Execute` for this attempt; False if this connection knows it, ended ones included (P2).

        A look at the database may take longer than the whole run: its answer must not start the commands again.
        """
        if key in self._runs or key in self._finished:
            return False
        self._runs[key] = _Received(0, 0)
        return True

    def receive(self, message: ToMaster) -> list[Effect]:
        """ProtocolViolation if the message makes no sense: the connection is to be closed then."""
        if isinstance(message, Goodbye):
            return [Dismissed(message)]
        if isinstance(message, Hello):
            raise ProtocolViolation("The worker said hello twice.")
        if isinstance(message, Hindered):
            if len(message.by) > _LONGEST_HINDRANCE or not message.by.isprintable():
                sentence = f"The worker is hindered by more than {_LONGEST_HINDRANCE} or unprintable characters."
                raise ProtocolViolation(sentence)
            return [HindranceChanged(message.by)]
        key = RunKey(message.run, message.attempt)
        if key in self._finished:
            return []
        received = self._runs.get(key)
        if received is None:
            raise ProtocolViolation(
                f"The worker said {type(message).__name__} about attempt {key.attempt} of run {key.run!r}, "
                "which is not one of its runs."
            )
        match message:
            case Accepted():
                return [TakenOver(key)]
            case Refused():
                return self._on_refused(key, received, message)
            case Events():
                return self._on_events(key, received, message)
            case Log():
                return self._on_log(key, received, message)

    def _on_refused(self, key: RunKey, received: _Received, refused: Refused) -> list[Effect]:
        if received.sequence or received.log_size:
            raise ProtocolViolation(f"The worker refused run {key.run!r}, which it has begun.")
        self._finish(key)
        return [PutBack(key, refused.reason)]

    def _on_events(self, key: RunKey, received: _Received, message: Events) -> list[Effect]:
        new = tuple(event for event in message.events if event.sequence > received.sequence)
        for place, event in enumerate(new):
            if event.sequence != received.sequence + 1 + place:
                raise ProtocolViolation(
                    f"Event {event.sequence} of run {key.run!r} came where {received.sequence + 1 + place} is next."
                )
        received.sequence += len(new)
        return [StoreEvents(key, new)] if new else []

    def _on_log(self, key: RunKey, received: _Received, message: Log) -> list[Effect]:
        if message.offset < 0 or message.offset > received.log_size:
            raise ProtocolViolation(
                f"Bytes from {message.offset} of the log of run {key.run!r} came where {received.log_size} is next."
            )
        data = message.data[received.log_size - message.offset :]
        offset = received.log_size
        received.log_size += len(data)
        return [StoreLog(key, offset, data)] if data else []

    # ---------- what is durable

    def acknowledge(self, key: RunKey, sequence: int, log_size: int) -> Acknowledged:
        return Acknowledged(key.run, key.attempt, sequence, log_size)

    def release(self, key: RunKey) -> Release:
        """Everything of the attempt is durable, or it counts no more."""
        self._finish(key)
        return Release(key.run, key.attempt)

    def send_again(self, key: RunKey, sequence: int) -> SendAgain:
        """The log was emptied, and the events behind `sequence` were not stored."""
        self._runs[key] = _Received(sequence, 0)
        return SendAgain(key.run, key.attempt)

    def _finish(self, key: RunKey) -> None:
        self._runs.pop(key, None)
        self._finished[key] = None
        if len(self._finished) > _FINISHED_REMEMBERED:
            del self._finished[next(iter(self._finished))]


def _has_lost(run: RunOnDisk, facts: StoredRun) -> bool:
    """Whether the worker's disk has no longer what it had reported.

    Only a host that died loses that, and the run died with it. A log alone may have been truncated by a command, whose
    standard output it is: in the end the log is verified, and sent again as it is then.
    """
    return run.sequence < facts.sequence or (run.log_size < facts.log_size and not run.is_of_this_boot)
