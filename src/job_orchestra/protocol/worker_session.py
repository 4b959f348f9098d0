"""The worker's side of the conversation with a master, without I/O.

What is on disk (`add`, `grew`) and what the master says (`receive`) come in; out come effects for the shell to carry
out, and `transfers`: what to read and send now. All of it is arithmetic over sequences and offsets, so a connection
that breaks anywhere is resumed by the two numbers that the master names in its welcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.messages import (
    LOG_PIECE_SIZE,
    PROTOCOL_VERSION,
    WINDOW,
    Abort,
    Accepted,
    Acknowledged,
    Execute,
    Goodbye,
    Hello,
    Hindered,
    Refused,
    Release,
    RunOnDisk,
    SendAgain,
    ToMaster,
    ToWorker,
    Welcome,
)
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation

EVENTS_IN_FLIGHT = 256
"""Journal events of one run that may be sent without being acknowledged; their bytes count for the window."""


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """What the worker says of itself at each hello."""

    version: str
    identifier: str
    instance: str
    boot: str
    display_name: str
    executor_limit: int
    properties: JsonObject


# ---------- what the shell is to do


@dataclass(frozen=True, slots=True)
class Connected:
    welcome: Welcome


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """Write the request to disk durably and have it executed, then call `accepted`, or `refused` if it cannot be."""

    execute: Execute


@dataclass(frozen=True, slots=True)
class AbortRun:
    key: RunKey
    by: str


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """The master has everything: delete the run directory, then call `deleted`."""

    key: RunKey


@dataclass(frozen=True, slots=True)
class Reply:
    message: ToMaster


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The master closes the connection, and says why."""

    goodbye: Goodbye


Effect: TypeAlias = Connected | StoreRequest | AbortRun | DeleteRun | Reply | Dismissed


@dataclass(frozen=True, slots=True)
class ReadLog:
    """Send `size` bytes of the log from `offset`."""

    key: RunKey
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class ReadJournal:
    """Send `limit` journal events behind the one with the sequence `after`."""

    key: RunKey
    after: int
    limit: int


Transfer: TypeAlias = ReadLog | ReadJournal

JournalSize: TypeAlias = Callable[[RunKey, int, int], int]
"""How many bytes the events of a run have that are numbered above the first number, up to the second."""


def _no_size(_key: RunKey, _after: int, _last: int) -> int:
    return 0


@dataclass(slots=True)
class _Progress:
    """Of one run: what is on disk, and how far that was sent and acknowledged over the present connection."""

    sequence: int = 0
    log_size: int = 0
    is_ended: bool = False
    is_of_this_boot: bool = True
    is_resumed: bool = False
    is_released: bool = False
    is_deleting: bool = False
    sent_sequence: int = 0
    sent_log: int = 0
    acknowledged_sequence: int = 0
    acknowledged_log: int = 0

    def resume(self, sequence: int, log_size: int) -> None:
        self.sent_sequence = self.acknowledged_sequence = min(sequence, self.sequence)
        # A command may have truncated the log while the worker was away: there is nothing to add until it is longer
        # again; in the end the whole log is verified, and sent again as it is.
        self.sent_log = self.acknowledged_log = log_size
        self.log_size = max(self.log_size, log_size)
        self.is_resumed = True

    @property
    def sendable_sequence(self) -> int:
        """`ended` goes only behind the whole log, so that the master can verify the log when it hears of the end."""
        last = self.sequence if not self.is_ended or self.sent_log >= self.log_size else self.sequence - 1
        return min(last, self.acknowledged_sequence + EVENTS_IN_FLIGHT)


class WorkerSession:
    """One for the life of a worker; connections come and go."""

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._runs: dict[RunKey, _Progress] = {}
        self._storing: dict[RunKey, str | None] = {}
        """Requests being written to disk, with the user who meanwhile asked to abort, if any."""
        self._refused: dict[RunKey, str] = {}
        """Over the present connection, with the reason: a repetition on its way must not be accepted after all."""
        self._greeted: frozenset[RunKey] = frozenset()
        self._is_welcome = False
        self._hindrance = ""

    # ---------- what is on disk

    def add(
        self,
        key: RunKey,
        sequence: int = 0,
        log_size: int = 0,
        is_ended: bool = False,
        is_of_this_boot: bool = True,
    ) -> None:
        """A run directory that was found at start."""
        self._runs[key] = _Progress(sequence, log_size, is_ended, is_of_this_boot)

    def grew(self, key: RunKey, sequence: int, log_size: int, is_ended: bool) -> list[Effect]:
        """Journal and log of the run reach this far now."""
        progress = self._runs.get(key)
        if progress is None:
            return []
        progress.sequence = max(progress.sequence, sequence)
        # A command may have truncated the log, which is its standard output: what counts is what is there in the end.
        progress.log_size = log_size if is_ended else max(progress.log_size, log_size)
        progress.is_ended = progress.is_ended or is_ended
        return self._delete(key, progress)

    def accepted(self, key: RunKey) -> list[Effect]:
        """The request is on disk."""
        abort_by = self._storing.pop(key, None)
        progress = self._runs[key] = _Progress()
        effects: list[Effect] = []
        if self._is_welcome:
            progress.resume(0, 0)
            effects.append(Reply(Accepted(key.run, key.attempt)))
        if abort_by is not None:
            effects.append(AbortRun(key, abort_by))
        return effects

    def refused(self, key: RunKey, reason: str) -> list[Effect]:
        """The request could not be written to disk, and nothing of it is left there."""
        self._storing.pop(key, None)
        if not self._is_welcome:
            return []
        self._refused[key] = reason
        return [Reply(Refused(key.run, key.attempt, reason))]

    def deleted(self, key: RunKey) -> None:
        self._runs.pop(key, None)

    def hindered(self, by: str) -> list[Effect]:
        """From now on the worker takes no new runs; it does again if `by` is empty."""
        self._hindrance = by
        return [Reply(Hindered(by))] if self._is_welcome else []

    # ---------- the connection

    def hello(self, identity: WorkerIdentity, date: float) -> Hello:
        """Begins a connection; `date` is the worker's clock as Unix time."""
        self.lost()
        runs = {key: progress for key, progress in self._runs.items() if not progress.is_released}
        self._greeted = frozenset(runs)
        return Hello(
            protocol=PROTOCOL_VERSION,
            version=identity.version,
            identifier=identity.identifier,
            instance=identity.instance,
            boot=identity.boot,
            display_name=identity.display_name,
            executor_limit=identity.executor_limit,
            properties=identity.properties,
            date=date,
            runs=tuple(
                RunOnDisk(key.run, key.attempt, progress.sequence, progress.log_size, progress.is_of_this_boot)
                for key, progress in runs.items()
            ),
        )

    def lost(self) -> None:
        """The connection is gone, and with it everything that was sent and not acknowledged."""
        self._is_welcome = False
        self._greeted = frozenset()
        self._refused.clear()
        for progress in self._runs.values():
            progress.is_resumed = False

    def receive(self, message: ToWorker) -> list[Effect]:
        """ProtocolViolation if the message makes no sense now: close the connection then."""
        if isinstance(message, Goodbye):
            return [Dismissed(message)]
        if isinstance(message, Welcome):
            return self._on_welcome(message)
        if not self._is_welcome:
            raise ProtocolViolation(f"The master said {type(message).__name__} before its welcome.")
        match message:
            case Execute():
                return self._on_execute(message)
            case Abort():
                return self._on_abort(message)
            case Acknowledged():
                self._on_acknowledged(message)
                return []
            case Release():
                return self._release(RunKey(message.run, message.attempt))
            case SendAgain():
                return self._on_send_again(message)

    def _on_welcome(self, welcome: Welcome) -> list[Effect]:
        if self._is_welcome:
            raise ProtocolViolation("The master said welcome twice.")
        if welcome.protocol != PROTOCOL_VERSION:
            raise ProtocolViolation(f"The master speaks protocol {welcome.protocol}, this worker {PROTOCOL_VERSION}.")
        resumed = {RunKey(one.run, one.attempt): one for one in welcome.resume}
        released = frozenset(RunKey(one.run, one.attempt) for one in welcome.release)
        if released.union(resumed) != self._greeted:
            raise ProtocolViolation("The master's welcome does not answer for the runs of the hello.")
        self._is_welcome = True
        effects: list[Effect] = [Connected(welcome)]
        if self._hindrance:
            effects.append(Reply(Hindered(self._hindrance)))
        for key, progress in self._runs.items():
            if key in resumed:
                progress.resume(resumed[key].sequence, resumed[key].log_size)
            elif key not in self._greeted and not progress.is_released:
                # Written to disk while the hello was on its way.
                progress.resume(0, 0)
                effects.append(Reply(Accepted(key.run, key.attempt)))
        for key in released:
            effects.extend(self._release(key))
        return effects

    def _on_execute(self, execute: Execute) -> list[Effect]:
        key = RunKey(execute.run, execute.attempt)
        if key in self._runs:
            return [Reply(Accepted(key.run, key.attempt))]
        if key in self._refused:
            return [Reply(Refused(key.run, key.attempt, self._refused[key]))]
        if key in self._storing:
            return []
        self._storing[key] = None
        return [StoreRequest(execute)]

    def _on_abort(self, abort: Abort) -> list[Effect]:
        key = RunKey(abort.run, abort.attempt)
        if key in self._storing:
            self._storing[key] = abort.by
            return []
        progress = self._runs.get(key)
        return [AbortRun(key, abort.by)] if progress is not None and not progress.is_ended else []

    def _on_acknowledged(self, message: Acknowledged) -> None:
        progress = self._runs.get(RunKey(message.run, message.attempt))
        if progress is None or not progress.is_resumed:
            # Of a run that was damaged on the disk or released meanwhile: its next hello counts.
            return
        if message.sequence > progress.sent_sequence or message.log_size > progress.sent_log:
            raise ProtocolViolation(
                f"The master acknowledged event {message.sequence} and {message.log_size} bytes of run {message.run}, "
                f"of which event {progress.sent_sequence} and {progress.sent_log} bytes were sent."
            )
        progress.acknowledged_sequence = max(progress.acknowledged_sequence, message.sequence)
        progress.acknowledged_log = max(progress.acknowledged_log, message.log_size)

    def _release(self, key: RunKey) -> list[Effect]:
        progress = self._runs.get(key)
        if progress is None or progress.is_released:
            return []
        progress.is_released = True
        progress.is_resumed = False
        # Whatever was sent of it takes no room in the window any more: nobody will acknowledge it.
        progress.acknowledged_sequence, progress.acknowledged_log = progress.sent_sequence, progress.sent_log
        if progress.is_ended:
            return self._delete(key, progress)
        # The attempt counts no more, but goes on here: its data goes when it has ended.
        return [AbortRun(key, "the master, for whom this attempt counts no more")]

    def _delete(self, key: RunKey, progress: _Progress) -> list[Effect]:
        """Once, when the run is both released and ended."""
        if not (progress.is_released and progress.is_ended) or progress.is_deleting:
            return []
        progress.is_deleting = True
        return [DeleteRun(key)]

    def _on_send_again(self, message: SendAgain) -> list[Effect]:
        progress = self._runs.get(RunKey(message.run, message.attempt))
        if progress is not None and progress.is_resumed:
            last = progress.sequence - 1 if progress.is_ended else progress.acknowledged_sequence
            progress.sent_log = progress.acknowledged_log = 0
            progress.sent_sequence = progress.acknowledged_sequence = min(progress.acknowledged_sequence, last)
        return []

    # ---------- what to send

    def transfers(self, journal_size: JournalSize = _no_size) -> list[Transfer]:
        """What to read from disk and send now, in this order; it counts as sent from here on.

        The window bounds the bytes of logs in flight, and likewise those of journals, lest a flood keeps events back;
        a single event may be larger.
        """
        in_flight = sum(progress.sent_log - progress.acknowledged_log for progress in self._runs.values())
        room = self._window - in_flight
        journal_room = self._window - sum(
            journal_size(key, progress.acknowledged_sequence, progress.sent_sequence)
            for key, progress in self._runs.items()
            if progress.acknowledged_sequence < progress.sent_sequence
        )
        transfers: list[Transfer] = []
        for key, progress in list(self._runs.items()):
            if not progress.is_resumed:
                continue
            for piece in self._log_pieces(key, progress, room):
                transfers.append(piece)
                room -= piece.size
            first, last = progress.sent_sequence, progress.sent_sequence
            while last < progress.sendable_sequence and journal_room > 0:
                journal_room -= journal_size(key, last, last + 1)
                last += 1
            if last > first:
                transfers.append(ReadJournal(key, first, last - first))
                progress.sent_sequence = last
        self._turn()
        return transfers

    def _log_pieces(self, key: RunKey, progress: _Progress, room: int) -> Iterator[ReadLog]:
        # One run takes at most half of what is free, so that a flood from one does not silence the others.
        budget = room if len(self._runs) == 1 else max(room // 2, min(room, LOG_PIECE_SIZE))
        while budget > 0 and progress.sent_log < progress.log_size:
            size = min(progress.log_size - progress.sent_log, LOG_PIECE_SIZE, budget)
            yield ReadLog(key, progress.sent_log, size)
            progress.sent_log += size
            budget -= size

    def _turn(self) -> None:
        """The run that came first comes last next time."""
        if len(self._runs) > 1:
            first = next(iter(self._runs))
            self._runs[first] = self._runs.pop(first)
