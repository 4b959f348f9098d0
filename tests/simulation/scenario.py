"""One simulated life: runs are triggered and stopped, everything breaks, then it heals; promises hold all the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.run_key import RunKey
from tests.simulation.host import Host
from tests.simulation.master import Database, MasterProcess, key_of
from tests.simulation.network import Connection
from tests.simulation.worker import WorkerProcess
from tests.simulation.world import World

_TROUBLE = 20.0
"""Virtual seconds in which things break."""
_HEALED_WITHIN = 200.0


class Scenario:
    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self.database = Database()
        self.host = Host(self.world)
        self.worker = WorkerProcess(self.world, self.host, self._check_deletion)
        self.master = MasterProcess(self.world, self.database)
        self._connection: Connection | None = None
        self._terminal: dict[str, Run] = {}
        self._is_proxy_broken = self.world.happens(0.3)

    def run(self) -> None:
        """AssertionError with the promise that is broken."""
        for number in range(self.world.chance.randint(1, 6)):
            self.world.soon(lambda number=number: self._trigger(f"run-{number}"), _TROUBLE / 2)  # type: ignore[misc]
        self._trouble()
        self._reconnect()
        while self.world.now < _HEALED_WITHIN and self.world.step():
            self._check_invariants()
            if self.world.now > _TROUBLE and self._is_finished():
                return
        raise AssertionError(f"not finished: {self.database.runs} {list(self.host.directories)}")

    # ---------- what happens

    def _trigger(self, identifier: str) -> None:
        request = RunRequest("p", "j", CommandsDefinition(()), workspace=Workspace.RUN)
        created = datetime(2026, 1, 1, tzinfo=UTC)
        self.database.runs[identifier] = Run(identifier, request, Source(SourceKind.USER, "eve"), created)
        if self.world.happens(0.3):
            self.world.soon(lambda: self._stop(identifier), 10.0)

    def _stop(self, identifier: str) -> None:
        run = self.database.runs[identifier]
        if run.status is RunStatus.PENDING:
            self.database.runs[identifier] = replace(run, should_cancel=True)
        elif run.status is RunStatus.RUNNING:
            self.database.runs[identifier] = replace(run, should_abort=True)

    def _trouble(self) -> None:
        if self.world.now > _TROUBLE:
            self._is_proxy_broken = False
            if self._connection is not None:
                self._connection.cut()
            return
        self.world.chance.choice([self._cut, self._kill_worker, self._kill_master, self._rest])()
        self.world.soon(self._trouble, 3.0)

    def _rest(self) -> None:
        pass

    def _cut(self) -> None:
        if self._connection is not None:
            self._connection.cut()

    def _kill_worker(self) -> None:
        self.worker.die()
        self.worker = WorkerProcess(self.world, self.host, self._check_deletion)

    def _kill_master(self) -> None:
        self.master.die()
        self.master = MasterProcess(self.world, self.database)

    def _reconnect(self) -> None:
        if not self.master.is_alive:
            self.master = MasterProcess(self.world, self.database)
        if not self.worker.is_connected:
            self._connection = Connection(self.world, self._is_proxy_broken)
            self.master.accept(self._connection)
            self.worker.connect(self._connection)
        self.world.soon(self._reconnect, 1.0)

    # ---------- what has to hold

    def _is_finished(self) -> bool:
        return all(run.status.is_terminal for run in self.database.runs.values()) and not self.host.directories

    def _check_invariants(self) -> None:
        for key, count in self.host.starts.items():
            assert count == 1, f"P2: attempt {key} was started {count} times"
        for key, stored in self.database.logs.items():
            written = self.host.written.get(key, bytearray())
            assert written[: len(stored)] == stored, f"P4: the stored log of {key} is no prefix of what was written"
        for run in self.database.runs.values():
            if run.status.is_terminal:
                first = self._terminal.setdefault(run.identifier, run)
                assert (run.status, run.reason, run.results) == (first.status, first.reason, first.results), "P6"

    def _check_deletion(self, key: RunKey) -> None:
        run = self.database.runs[key.run]
        assert key_of(run) == key, f"P5: {key} was deleted, and {key_of(run)} is what counts"
        assert run.status.is_terminal, f"P5: {key} was deleted while it was {run.status}"
        written = self.host.written.get(key, bytearray())
        assert self.database.logs.get(key, bytearray()) == written, f"P5: {key} was deleted before its log was stored"
