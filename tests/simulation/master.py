"""The master's process: the real session over a simulated database; it may die between any commit and its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.domain.event_records import EventRecord, record_to_event
from job_orchestra.domain.events import Ended
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus, advance
from job_orchestra.protocol.master_session import MasterSession, PutBack, StoredRun, StoreEvents, StoreLog
from job_orchestra.protocol.messages import Abort, Execute, Hello, ToMaster, ToWorker
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation
from tests.simulation.network import Connection
from tests.simulation.worker import WORKER
from tests.simulation.world import World


@dataclass(slots=True)
class Database:
    """What survives the master."""

    runs: dict[str, Run] = field(default_factory=dict[str, Run])
    logs: dict[RunKey, bytearray] = field(default_factory=dict[RunKey, bytearray])

    def save(self, before: Run, after: Run) -> bool:
        """Compare and set, as the repositories do it."""
        stored = self.runs[before.identifier]
        if (stored.attempt, stored.status, stored.journal_sequence) != (
            before.attempt,
            before.status,
            before.journal_sequence,
        ):
            return False
        self.runs[before.identifier] = replace(
            after, should_abort=stored.should_abort, should_cancel=stored.should_cancel
        )
        return True


def key_of(run: Run) -> RunKey:
    return RunKey(run.identifier, run.attempt)


class MasterProcess:
    def __init__(self, world: World, database: Database) -> None:
        self._world = world
        self._database = database
        self.is_alive = True
        self._link: _Link | None = None
        self._while_alive(self._dispatch)

    def die(self) -> None:
        self.is_alive = False
        if self._link is not None:
            self._link.connection.cut()

    def accept(self, connection: Connection) -> None:
        connection.to_master = lambda message: self._receive(connection, message)
        connection.on_lost_by_master = lambda: self._lose(connection)

    def _lose(self, connection: Connection) -> None:
        if self._link is not None and self._link.connection is connection:
            self._link = None

    def _while_alive(self, action: Callable[[], None], longest: float = 0.05) -> None:
        self._world.soon(lambda: action() if self.is_alive else None, longest)

    def _receive(self, connection: Connection, message: ToMaster) -> None:
        if not self.is_alive or connection.is_broken:
            return
        try:
            if isinstance(message, Hello) and (self._link is None or self._link.connection is not connection):
                if self._link is not None:
                    self._link.connection.cut()
                self._link = _Link(connection, self._database, self._world)
                self._link.greet(message)
            elif self._link is not None and self._link.connection is connection:
                self._link.receive(message)
        except ProtocolViolation:
            connection.cut()

    def _dispatch(self) -> None:
        """Assigns what waits, and repeats wishes: the dispatcher and the safety poll in one."""
        for run in list(self._database.runs.values()):
            if run.status is RunStatus.PENDING and run.worker is None:
                self._assign_or_cancel(run)
            elif not run.status.is_terminal and self._link is not None and (run.should_abort or run.should_cancel):
                self._link.abort(run)
        self._while_alive(self._dispatch, 1.0)

    def _assign_or_cancel(self, run: Run) -> None:
        if run.should_cancel:
            reason = Reason(ReasonCode.CANCEL_REQUESTED, ".")
            after = replace(run, status=advance(run.status, RunStatus.CANCELLED), reason=reason)
            self._database.save(run, after)
        elif self._link is not None and self._link.has_room():
            assigned = replace(run, worker=WORKER)
            self._database.save(run, assigned)
            if self._world.happens(0.9):  # otherwise the order is lost with a master that dies here
                self._link.execute(assigned)
            else:
                self.die()


class _Link:
    def __init__(self, connection: Connection, database: Database, world: World) -> None:
        self.connection = connection
        self._database = database
        self._world = world
        self._session = MasterSession()
        self._runs: dict[RunKey, Run] = {}

    def greet(self, hello: Hello) -> None:
        active = {
            key_of(run): run
            for run in self._database.runs.values()
            if run.worker == WORKER and not run.status.is_terminal
        }
        stored = [
            StoredRun(key, run.journal_sequence, len(self._database.logs.get(key, b""))) for key, run in active.items()
        ]
        greeting = self._session.greet(hello, stored, "1", "master")
        self._say(greeting.welcome)
        for resume in greeting.welcome.resume:
            key = RunKey(resume.run, resume.attempt)
            self._runs[key] = active[key]
        for key in greeting.to_execute:
            self.execute(active[key])
        assert not greeting.missing, "nothing is lost in this world"

    def has_room(self) -> bool:
        return len(self._runs) < 3

    def execute(self, run: Run) -> None:
        key = key_of(run)
        if not self._session.execute(key):
            return
        self._runs[key] = run
        self._say(Execute(key.run, key.attempt, "p", "j", {}, {}, "job", {}))

    def abort(self, run: Run) -> None:
        if key_of(run) in self._runs:
            self._say(Abort(run.identifier, run.attempt, "eve"))

    def receive(self, message: ToMaster) -> None:
        for effect in self._session.receive(message):
            match effect:
                case StoreLog(key, offset, data):
                    self._store_log(key, offset, data)
                case StoreEvents(key, events):
                    self._store_events(key, [EventRecord(e.sequence, e.kind, e.date, e.data) for e in events])
                case PutBack(key):
                    run = self._runs.pop(key)
                    self._database.save(run, replace(run, worker=None, attempt=run.attempt + 1))
                case _:
                    pass

    def _store_log(self, key: RunKey, offset: int, data: bytes) -> None:
        log = self._database.logs.setdefault(key, bytearray())
        assert offset <= len(log), "a gap in the log"
        log[offset : offset + len(data)] = data
        self._answer(lambda: self._say(self._session.acknowledge(key, 0, offset + len(data))))

    def _store_events(self, key: RunKey, records: list[EventRecord]) -> None:
        before = after = self._runs[key]
        is_wrong = False
        for record in records:
            try:
                event = record_to_event(record)
                following = apply_event(after, event)
            except (Invalid, Conflict) as error:
                raise ProtocolViolation(str(error)) from None
            if isinstance(event, Ended):
                log = self._database.logs.get(key, bytearray())
                if (len(log), sha256(log).hexdigest()) != (event.log_size, event.log_sha256):
                    self._database.logs[key] = bytearray()
                    is_wrong = True
                    break
            after = following
        if not self._database.save(before, after):
            raise ProtocolViolation("changed elsewhere")
        self._runs[key] = after
        self._answer(lambda: self._acknowledge(after, is_wrong))

    def _acknowledge(self, run: Run, is_log_wrong: bool) -> None:
        key = key_of(run)
        if run.status.is_terminal:
            self._runs.pop(key, None)
            self._say(self._session.release(key))
            return
        self._say(self._session.acknowledge(key, run.journal_sequence, 0))
        if is_log_wrong:
            self._say(self._session.send_again(key, run.journal_sequence))

    def _answer(self, answer: Callable[[], None]) -> None:
        """What is durable is answered, unless the connection breaks in between."""
        if self._world.happens(0.03):
            self.connection.cut()
        else:
            answer()

    def _say(self, message: ToWorker) -> None:
        self.connection.send_to_worker(message)
