"""The worker's process: the real conversation and session, over the simulated machine instead of files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from job_orchestra.domain.errors import OrchestraError
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.protocol.messages import Execute
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.worker_session import WorkerIdentity, WorkerSession
from job_orchestra.worker.conversation import Conversation, GoodbyeReceived
from tests.simulation.machine import Directory, Machine
from tests.simulation.master import MASTER
from tests.simulation.network import Network
from tests.simulation.world import Process, World

EXECUTORS = 2
_REFUSES = 0.05
_GATHER = 0.05
_ENDING = 0.5
_EVENT_SIZE = 100


class SeenRun:
    """A run directory as far as it was looked at, as `worker.followed_runs.FollowedRun` is."""

    def __init__(self, key: RunKey, directory: Directory, machine: Machine) -> None:
        self.key = key
        self.name = f"{key.run}.{key.attempt}"
        self.directory = directory
        # The conversation compares it with that of the host on which the simulation is executed.
        self.boot = boot_identifier() if directory.boot == machine.boot else "an earlier one"
        self.sequence = 0
        self.log_size = 0
        self.is_ended = False

    def look(self) -> None:
        self.sequence = len(self.directory.journal)
        self.is_ended = self.directory.is_ended
        self.log_size = len(self.directory.log)

    def journal_size(self, after: int, last: int) -> int:
        return sum(len(record.data) + _EVENT_SIZE for record in self.directory.journal[after:last])

    def read_journal(self, after: int, limit: int) -> list[EventRecord]:
        return self.directory.journal[after : min(after + limit, self.sequence)]

    def read_log(self, offset: int, size: int) -> bytes:
        return bytes(self.directory.log[offset : offset + size])


class SeenRuns:
    def __init__(self) -> None:
        self.by_key: dict[RunKey, SeenRun] = {}

    def __iter__(self) -> Iterator[SeenRun]:
        return iter(list(self.by_key.values()))

    def get(self, key: RunKey) -> SeenRun | None:
        return self.by_key.get(key)


class WorkerProcess(Process):
    """One life of a worker, and its keeper of runs; the next one finds the machine as it is then."""

    def __init__(self, world: World, number: int, machine: Machine, on_delete: Callable[[RunKey], None]) -> None:
        super().__init__(world, f"{machine.name}#{number}")
        self.machine = machine
        self.runs = SeenRuns()
        self._on_delete = on_delete
        window = world.chance.choice([500, 1500, 100_000])
        self._conversation = Conversation(WorkerSession(window), lambda: self)
        self._changed: dict[RunKey, None] = {}
        self._is_ending = False

    def run(self, network: Network, authorization: str, master: str = MASTER) -> None:
        self.world.say(self.name, f"starts with {[*self.machine.directories]}")
        self.machine.on_change = self._notice
        self.machine.on_host_end = lambda: self.soon(self._end_lost_runs)
        for key, directory in self.machine.directories.items():
            self._see(key, directory)
        self._end_lost_runs(at_once=True)
        for seen in self.runs:
            seen.look()
            if not seen.is_ended and seen.directory.abort_by is not None:
                self.machine.abort(seen.key)
            self._conversation.found(seen)
        self.start(self._stay_connected(network, authorization, master))

    def leave(self) -> None:
        """Ends in order."""
        if self._conversation.say_goodbye():
            self.soon(self.die, 2.0)
        else:
            self.die()

    async def _stay_connected(self, network: Network, authorization: str, master: str) -> None:
        while True:
            pause = 0.1 + self.world.chance.random()
            try:
                async with network.connect(self, "/worker", authorization, master) as connection:
                    await self._conversation.hold(connection, self._identity(), lambda _: None)
            except OrchestraError as error:
                self.world.say(self.name, f"lost the master: {error}")
                if isinstance(error, GoodbyeReceived) and error.is_final:
                    pause = 10.0
            await asyncio.sleep(pause)

    def _identity(self) -> WorkerIdentity:
        machine = self.machine
        return WorkerIdentity("1", machine.name, machine.instance, str(machine.boot), "", EXECUTORS, {})

    # ---------- what the conversation asks of the keeper

    def store(self, execute: Execute) -> None:
        self.soon(lambda: self._write(RunKey(execute.run, execute.attempt)))

    def abort(self, key: RunKey, by: str) -> None:
        self.soon(lambda: self._write_abort(key, by))

    def delete(self, key: RunKey) -> None:
        if self.runs.by_key.pop(key, None) is not None:
            self.soon(lambda: self._delete(key))

    def forget(self, key: RunKey) -> None:
        self.world.violate(f"{self.name} cannot read the directory of {key}")

    def _write(self, key: RunKey) -> None:
        if self.world.happens(_REFUSES):
            self.world.say(self.name, f"cannot write {key}")
            self._conversation.on_written(key, "The disk is full (simulated).")
            return
        self.machine.store(key)
        self.soon(lambda: self._take_in(key))

    def _take_in(self, key: RunKey) -> None:
        directory = self.machine.directories.get(key)
        if directory is None:
            return
        seen = self._see(key, directory)
        self.machine.execute(key)
        self._conversation.on_written(key, None)
        self._notice(seen.key)

    def _write_abort(self, key: RunKey, by: str) -> None:
        directory = self.machine.directories.get(key)
        if directory is not None and not directory.is_ended:
            directory.abort_by = by
            self.soon(lambda: self.machine.abort(key))

    def _delete(self, key: RunKey) -> None:
        if self.machine.directories.pop(key, None) is not None:
            self.world.say(self.name, f"deletes {key}")
            self._on_delete(key)
        self._conversation.on_deleted(key)

    # ---------- what the kernel tells

    def _see(self, key: RunKey, directory: Directory) -> SeenRun:
        seen = self.runs.by_key[key] = SeenRun(key, directory, self.machine)
        seen.look()
        return seen

    def _notice(self, key: RunKey) -> None:
        if not self._changed:
            self.soon(self._look, _GATHER)
        self._changed[key] = None

    def _look(self) -> None:
        changed, self._changed = self._changed, {}
        for key in changed:
            seen = self.runs.get(key)
            if seen is not None:
                seen.look()
                self._conversation.report(seen)
        self._conversation.send()

    # ---------- runs whose host has left them

    def _end_lost_runs(self, at_once: bool = False) -> None:
        """As `worker.run_keeper` does it: what nobody has begun is handed over, what a lost host has left is ended."""
        machine = self.machine
        machine.start_host()
        for seen in self.runs:
            seen.look()
            directory = seen.directory
            if seen.is_ended or directory.host == machine.host:
                continue
            if directory.is_claimed and at_once:
                self._end(seen)
            elif directory.is_claimed:
                self.soon(lambda seen=seen: self._end(seen), _ENDING)  # type: ignore[misc]
            else:
                machine.execute(seen.key)

    def _end(self, seen: SeenRun) -> None:
        directory, machine = seen.directory, self.machine
        if directory.is_ended or machine.directories.get(seen.key) is not directory:
            return
        is_restarted = directory.boot != machine.boot
        code = ReasonCode.HOST_RESTARTED if is_restarted else ReasonCode.EXECUTOR_HOST_LOST
        if not is_restarted:
            machine.write(seen.key, f"[orchestra] Run exception ({code})\n".encode())
        machine.end(seen.key, RunStatus.EXCEPTION, code)
