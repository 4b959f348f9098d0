"""One connection to the master, from hello to its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Never, Protocol

from job_orchestra.domain.errors import Invalid, OrchestraError
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.protocol.codec import MalformedFrame, decode_to_worker
from job_orchestra.protocol.connection import FrameConnection
from job_orchestra.protocol.messages import Events, Execute, Goodbye, JournalEvent, Log, ToMaster, Welcome
from job_orchestra.protocol.outbox import Outbox
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation
from job_orchestra.protocol.worker_session import (
    AbortRun,
    Connected,
    DeleteRun,
    Dismissed,
    Effect,
    ReadJournal,
    ReadLog,
    Reply,
    StoreRequest,
    WorkerIdentity,
    WorkerSession,
)

_logger = logging.getLogger(__name__)


class GoodbyeReceived(OrchestraError):
    """The master has closed the connection, and said why."""

    def __init__(self, goodbye: Goodbye) -> None:
        super().__init__(goodbye.message)
        self.is_final = goodbye.is_final


class KeptRun(Protocol):
    """A run on the worker's disk, as far as it was looked at."""

    @property
    def key(self) -> RunKey: ...

    @property
    def name(self) -> str: ...

    @property
    def sequence(self) -> int: ...

    @property
    def log_size(self) -> int: ...

    @property
    def boot(self) -> str: ...

    @property
    def is_ended(self) -> bool: ...

    def journal_size(self, after: int, last: int) -> int: ...

    def read_journal(self, after: int, limit: int) -> list[EventRecord]: ...

    def read_log(self, offset: int, size: int) -> bytes: ...


class KeptRuns(Protocol):
    def __iter__(self) -> Iterator[KeptRun]: ...

    def get(self, key: RunKey) -> KeptRun | None: ...


class Keeper(Protocol):
    """Who has the runs on disk; `RunKeeper` says what each of these does."""

    @property
    def runs(self) -> KeptRuns: ...

    def store(self, execute: Execute) -> None: ...

    def abort(self, key: RunKey, by: str) -> None: ...

    def delete(self, key: RunKey) -> None: ...

    def forget(self, key: RunKey) -> None: ...


class Conversation:
    """Carries out what the session says, for the connection that there is; without one, effects on disk only."""

    def __init__(self, session: WorkerSession, keeper: Callable[[], Keeper]) -> None:
        self._session = session
        self._keeper = keeper
        self._outbox: Outbox[ToMaster] | None = None
        self._farewell: Goodbye | None = None
        self._found: set[RunKey] = set()
        """Runs of which no welcome has answered yet what was found on disk."""
        self._greeted: set[RunKey] = set()
        """Those of them that the last hello has told of."""

    async def hold(
        self, connection: FrameConnection, identity: WorkerIdentity, on_connected: Callable[[Welcome], None]
    ) -> Never:
        """Until the connection ends: ConnectionLost, GoodbyeReceived, or what is wrong with what the master said."""
        outbox: Outbox[ToMaster] = Outbox(connection)
        outbox.post(self._session.hello(identity, time.time()))
        sending = asyncio.create_task(outbox.flush(), name="send to the master")
        self._greeted = set(self._found)
        self._outbox = outbox
        self._farewell = None
        try:
            while True:
                for message in decode_to_worker(await connection.receive_frame()):
                    effects = self._session.receive(message)
                    self.carry_out(effects)
                    for effect in effects:
                        if isinstance(effect, Connected):
                            on_connected(effect.welcome)
                self.send()
                if self._farewell is not None:
                    raise GoodbyeReceived(self._farewell)
        except (MalformedFrame, ProtocolViolation) as error:
            outbox.post(Goodbye("violation", error.message))
            raise
        finally:
            self._outbox = None
            self._session.lost()
            outbox.close()
            await asyncio.wait([sending], timeout=2.0)
            sending.cancel()

    def say_goodbye(self) -> bool:
        """Tells the master that this worker leaves, and closes the connection behind that, if there is one."""
        if self._outbox is None:
            return False
        self._outbox.post(Goodbye("stopping", "The worker stops; its runs go on."))
        self._outbox.close()
        return True

    def carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case StoreRequest(execute):
                    self._keeper().store(execute)
                case AbortRun(key, by):
                    self._keeper().abort(key, by)
                case DeleteRun(key):
                    self._keeper().delete(key)
                case Reply(message):
                    self._post(message)
                case Connected():
                    self._found -= self._greeted
                    for run in self._keeper().runs:
                        self.report(run)
                case Dismissed(goodbye):
                    self._farewell = goodbye

    def found(self, run: KeptRun) -> None:
        """A run that was on disk at the start, or is there with less than before.

        Its end is told behind the welcome: a disk that lost the last events with its host has got an end of the
        worker's own, which must not pass for the event that the master may have under the same number.
        """
        sequence = run.sequence - (1 if run.is_ended else 0)
        is_of_this_boot = run.boot == boot_identifier()
        self._session.add(run.key, sequence, run.log_size, is_of_this_boot=is_of_this_boot)
        self._found.add(run.key)

    def damaged(self, key: RunKey, left: KeptRun | None) -> None:
        """Less of the run is there than was told: a new hello tells what is left, and the master decides."""
        self._session.deleted(key)
        if left is not None:
            self.found(left)
        if self._outbox is not None:
            self._outbox.close()

    def report(self, run: KeptRun) -> None:
        """The files of the run reach this far now."""
        if run.is_ended and run.key in self._found:
            # Until the welcome no end is told, see `found`.
            return
        if run.is_ended:
            reach(FailPoint.WORKER_END_SEEN)
        self.carry_out(self._session.grew(run.key, run.sequence, run.log_size, run.is_ended))

    def send(self) -> None:
        """Whatever of journals and logs may be sent now."""
        if self._outbox is None:
            return
        for transfer in self._session.transfers(self._journal_size):
            run = self._keeper().runs.get(transfer.key)
            if run is None:
                continue
            try:
                if isinstance(transfer, ReadLog):
                    self._post_log(run, transfer)
                else:
                    self._post_journal(run, transfer)
            except (OSError, Invalid) as error:
                # Someone else has had a hand in it. From the next hello the master learns that the run is not here.
                _logger.error("The directory of run %s cannot be read: %s", run.name, error)
                self._keeper().forget(run.key)
                self._outbox.close()

    def _journal_size(self, key: RunKey, after: int, last: int) -> int:
        run = self._keeper().runs.get(key)
        return 0 if run is None else run.journal_size(after, last)

    def _post_log(self, run: KeptRun, transfer: ReadLog) -> None:
        data = run.read_log(transfer.offset, transfer.size)
        # Shorter only if a command has truncated the log, its standard output. At the end the whole log is verified and
        # sent again; until then what is missing is filled, so that offsets go on.
        self._post(Log(*transfer.key, transfer.offset, data.ljust(transfer.size, b"\0")))

    def _post_journal(self, run: KeptRun, transfer: ReadJournal) -> None:
        after, last = transfer.after, transfer.after + transfer.limit
        while after < last:
            records = run.read_journal(after, last - after)
            events = tuple(JournalEvent(one.sequence, one.kind, one.date, one.data) for one in records)
            self._post(Events(*transfer.key, events))
            after += len(records)
            if not records:
                raise Invalid.at("journal", "is shorter than it was")

    def _post(self, message: ToMaster) -> None:
        if self._outbox is not None:
            self._outbox.post(message)

    def hindered(self, by: str) -> None:
        """As `WorkerSession.hindered`."""
        self.carry_out(self._session.hindered(by))

    # ---------- what the keeper tells

    def on_written(self, key: RunKey, problem: str | None) -> None:
        self.carry_out(self._session.accepted(key) if problem is None else self._session.refused(key, problem))
        self.send()

    def on_deleted(self, key: RunKey) -> None:
        self._found.discard(key)
        self._session.deleted(key)
