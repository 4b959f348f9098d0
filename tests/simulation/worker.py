"""The worker's process: the real session over the simulated disk; it may die at any step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from job_orchestra.protocol.messages import Events, JournalEvent, Log, ToMaster, ToWorker
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation
from job_orchestra.protocol.worker_session import (
    AbortRun,
    DeleteRun,
    Dismissed,
    Effect,
    ReadLog,
    Reply,
    StoreRequest,
    Transfer,
    WorkerIdentity,
    WorkerSession,
)
from tests.simulation.host import Host
from tests.simulation.network import Connection
from tests.simulation.world import World

WORKER = "worker"
_IDENTITY = WorkerIdentity("1", WORKER, "instance", "boot", "", 3, {})
_WINDOW = 1500


class WorkerProcess:
    """One life of a worker; `die` ends it, and the next one finds the disk as it is then."""

    def __init__(self, world: World, host: Host, on_delete: Callable[[RunKey], None]) -> None:
        self._world = world
        self._host = host
        self._on_delete = on_delete
        self._session = WorkerSession(_WINDOW)
        self._connection: Connection | None = None
        self._is_alive = True
        for key, directory in host.directories.items():
            self._session.add(key, len(directory.journal), len(directory.log), directory.is_ended)
            self._while_alive(lambda key=key: self._host.execute(key))  # type: ignore[misc]
        self._while_alive(self._look)

    def die(self) -> None:
        self._is_alive = False
        if self._connection is not None:
            self._connection.cut()

    def connect(self, connection: Connection) -> None:
        if self._connection is not None:
            self._connection.cut()
        self._connection = connection
        connection.to_worker = lambda message: self._receive(connection, message)
        connection.on_lost_by_worker = lambda: self._lose(connection)
        connection.send_to_master(self._session.hello(_IDENTITY, self._world.now))

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    def _while_alive(self, action: Callable[[], None], longest: float = 0.05) -> None:
        self._world.soon(lambda: action() if self._is_alive else None, longest)

    def _lose(self, connection: Connection) -> None:
        if self._connection is connection:
            self._connection = None
            self._session.lost()

    def _receive(self, connection: Connection, message: ToWorker) -> None:
        if not self._is_alive or connection is not self._connection:
            return
        try:
            self._carry_out(self._session.receive(message))
        except ProtocolViolation:
            connection.cut()
            return
        self._send(self._session.transfers())

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case StoreRequest(execute):
                    key = RunKey(execute.run, execute.attempt)
                    self._while_alive(lambda key=key: self._store(key))  # type: ignore[misc]
                case AbortRun(key):
                    self._while_alive(lambda key=key: self._host.abort(key))  # type: ignore[misc]
                case DeleteRun(key):
                    self._while_alive(lambda key=key: self._delete(key))  # type: ignore[misc]
                case Reply(message):
                    self._say(message)
                case Dismissed():
                    assert self._connection is not None
                    self._connection.cut()
                case _:
                    pass

    def _store(self, key: RunKey) -> None:
        if self._world.happens(0.05):
            self._carry_out(self._session.refused(key, "disk full"))
            return
        self._host.store(key)
        self._while_alive(lambda: self._carry_out(self._session.accepted(key)))
        self._while_alive(lambda: self._host.execute(key))

    def _delete(self, key: RunKey) -> None:
        self._on_delete(key)
        del self._host.directories[key]
        self._session.deleted(key)

    def _look(self) -> None:
        """Inotify, as it were."""
        for key, directory in list(self._host.directories.items()):
            grown = self._session.grew(key, len(directory.journal), len(directory.log), directory.is_ended)
            self._carry_out(grown)
        if self._connection is not None:
            self._send(self._session.transfers())
        self._while_alive(self._look, 0.2)

    def _send(self, transfers: Sequence[Transfer]) -> None:
        for transfer in transfers:
            directory = self._host.directories[transfer.key]
            run, attempt = transfer.key
            if isinstance(transfer, ReadLog):
                data = bytes(directory.log[transfer.offset : transfer.offset + transfer.size])
                self._say(Log(run, attempt, transfer.offset, data))
            else:
                records = directory.journal[transfer.after : transfer.after + transfer.limit]
                events = tuple(JournalEvent(one.sequence, one.kind, one.date, one.data) for one in records)
                self._say(Events(run, attempt, events))

    def _say(self, message: ToMaster) -> None:
        if self._connection is not None:
            self._connection.send_to_master(message)
