"""The promises, checked wherever they could be broken, at the moment at which it happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.statuses import TRANSITIONS, RunStatus
from job_orchestra.protocol.codec import decode_to_worker
from job_orchestra.protocol.messages import Acknowledged, Execute, Release, Welcome
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.storage.log_port import LogKey
from job_orchestra.storage.schema import EVENTS, RUNS, WORKERS
from tests.simulation.machine import Attempt, Machine
from tests.simulation.memory_logs import LogBytes
from tests.simulation.memory_storage import Change, MemoryDatabase, Stored
from tests.simulation.network import End
from tests.simulation.world import World

_OWN = {ReasonCode.COMPLETED: RunStatus.SUCCEEDED, ReasonCode.COMMAND_FAILED: RunStatus.FAILED}
"""What commands come to by themselves."""
_BY_USERS = {ReasonCode.ABORT_REQUESTED, ReasonCode.CANCEL_REQUESTED}
_FINAL = ("status", "reason_code", "reason", "attempt", "results", "ended_at", "log_size", "log_sha256", "worker")


@dataclass(slots=True)
class _Durable:
    """The furthest that was ever durable of an attempt."""

    sequence: int = 0
    log_size: int = 0


class Promises:
    def __init__(self, world: World, database: MemoryDatabase, logs: LogBytes, machines: Sequence[Machine]) -> None:
        self._world = world
        self._database = database
        self._logs = logs
        self._machines = machines
        self._durable: dict[RunKey, _Durable] = {}
        self._welcomed: dict[str, End] = {}
        self.answered: dict[str, str] = {}
        """Idempotency key and run of every trigger that was answered with success."""
        self.may_retry: Callable[[str], bool] = lambda _: False
        """Whether the run may be executed more than once, each time as another attempt."""
        database.on_changes = self._on_changes
        logs.on_change = self._on_log
        for machine in machines:
            machine.on_abort = self._on_abort

    def row(self, run: str) -> Stored:
        return self._database.table(RUNS.name).rows[run,]

    def rows(self) -> list[Stored]:
        return list(self._database.table(RUNS.name).rows.values())

    # ---------- the database

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.collection == RUNS.name:
                self._on_run(change.before, change.after)
            elif change.collection == EVENTS.name and change.after is not None:
                self._on_event(change.after)

    def _on_run(self, before: Stored | None, after: Stored | None) -> None:
        if after is None:
            self._world.violate("P1: a run is deleted")
            return
        name = after["identifier"]
        durable = self._durable.setdefault(RunKey(name, after["attempt"]), _Durable())
        durable.sequence = max(durable.sequence, after["journal_sequence"])
        if before is None:
            return
        old, new = RunStatus(before["status"]), RunStatus(after["status"])
        if old.is_terminal:
            changed = [column for column in _FINAL if before[column] != after[column]]
            self._world.require(not changed, f"P6: {name} was {old}, and {changed} changed")
            return
        if after["attempt"] < before["attempt"]:
            self._world.violate(f"P2: {name} goes back to attempt {after['attempt']}")
        if new is not old and new not in TRANSITIONS[old] and not (old is RunStatus.PENDING and new.is_terminal):
            self._world.violate(f"P6: {name} was {old} and becomes {new}")
        if new.is_terminal:
            self._on_end(after, new)

    def _on_end(self, row: Stored, status: RunStatus) -> None:
        """P3: there is a cause of the end."""
        name, code = row["identifier"], row["reason_code"]
        key = RunKey(name, row["attempt"])
        self._world.say("database", f"{key} is {status} ({code})")
        self._world.require(bool(code and row["reason"]), f"P8: {name} ends as {status} without a reason")
        if code in _BY_USERS:
            is_wished = row["should_abort"] or row["should_cancel"]
            self._world.require(is_wished, f"P3: {name} is {status} and nobody wished it")
        attempt = self._attempt(key)
        if code == ReasonCode.CANCEL_REQUESTED:
            is_started = attempt is not None and attempt.starts > 0
            self._world.require(not is_started, f"P3: {name} is cancelled, and its commands were started")
        elif code in (ReasonCode.EXECUTOR_HOST_LOST, ReasonCode.HOST_RESTARTED, ReasonCode.WORKER_LOST):
            is_lost = attempt is not None and code in attempt.lost
            is_lost = is_lost or (code == ReasonCode.WORKER_LOST and self._is_of_lost_directory(row["worker"]))
            self._world.require(is_lost, f"P3: {name} ends as {code}, which did not befall it")
        if code == ReasonCode.WORKER_LOST:
            return
        if attempt is not None and attempt.ended is not None:
            ended = attempt.ended
            self._world.require(
                (status, code) == (ended.status, ended.reason.code),
                f"P3: {key} ended as {ended.status} ({ended.reason.code}) and is stored as {status} ({code})",
            )
            self._check_log(key, row, attempt)
        else:
            is_unstarted = attempt is None or not attempt.starts
            self._world.require(is_unstarted, f"P3: {key} is {status} ({code}) and its host goes on")

    def _is_of_lost_directory(self, worker: str) -> bool:
        """The worker's machine has another directory than the one that the master knows."""
        machine = next(machine for machine in self._machines if machine.name == worker)
        known = self._database.table(WORKERS.name).rows[worker,]
        return bool(known["instance"] != machine.instance)

    def _check_log(self, key: RunKey, row: Stored, attempt: Attempt) -> None:
        stored = self._logs.logs.get(LogKey("p", *key), bytearray())
        self._world.require(stored == attempt.log, f"P4: {key} has ended, and its stored log is not what was written")
        facts = (len(attempt.log), sha256(attempt.log).hexdigest())
        self._world.require((row["log_size"], row["log_sha256"]) == facts, f"P4: size or hash of {key} is wrong")

    def _on_event(self, row: Stored) -> None:
        key = RunKey(row["run"], row["attempt"])
        if row["sequence"] == 1 and row["kind"] == "started" and not self.may_retry(key.run):
            earlier = [one for number in range(1, key.attempt) if (one := self._attempt(RunKey(key.run, number)))]
            is_first = not any(one.starts for one in earlier)
            self._world.require(is_first, f"P2: {key} has started, and so has an attempt before it")

    # ---------- the logs

    def _on_log(self, key: LogKey, log: bytearray) -> None:
        run = RunKey(key.run, key.attempt)
        attempt = self._attempt(run)
        is_prefix = attempt is not None and (
            attempt.log.startswith(log) or any(one.startswith(log) for one in attempt.earlier_logs)
        )
        self._world.require(is_prefix, f"P4: the {len(log)} stored bytes of {run} are no prefix of what was written")
        durable = self._durable.setdefault(run, _Durable())
        durable.log_size = max(durable.log_size, len(log))

    # ---------- the machines

    def _attempt(self, key: RunKey) -> Attempt | None:
        found = [machine.attempts[key] for machine in self._machines if key in machine.attempts]
        self._world.require(sum(one.starts > 0 for one in found) <= 1, f"P2: {key} is started on several workers")
        return max(found, key=lambda one: one.starts, default=None)

    def _on_abort(self, key: RunKey) -> None:
        row = self.row(key.run)
        counts = row["attempt"] == key.attempt and not RunStatus(row["status"]).is_terminal
        is_wished = row["should_abort"] or row["should_cancel"]
        self._world.require(is_wished or not counts, f"P3: {key} is aborted, and nobody wished it")

    def on_delete(self, key: RunKey) -> None:
        """P5: a worker has deleted what it had of the attempt."""
        row = self.row(key.run)
        if row["attempt"] > key.attempt or row["reason_code"] == ReasonCode.WORKER_LOST:
            return  # it counts no more
        attempt = self._attempt(key)
        if not RunStatus(row["status"]).is_terminal or attempt is None or attempt.ended is None:
            self._world.violate(f"P5: {key} is deleted while it is {row['status']}")
            return
        log = self._logs.logs.get(LogKey("p", *key), bytearray())
        self._world.require(log == attempt.log, f"P5: {key} is deleted before its log is stored")
        events = self._database.table(EVENTS.name).rows
        numbers = range(1, row["journal_sequence"] + 1)
        is_complete = all((key.run, key.attempt, number) in events for number in numbers)
        self._world.require(is_complete, f"P5: {key} is deleted before its events are stored")
        results = [json.loads(events[*key, n]["data"]) for n in numbers if events[*key, n]["kind"] == "results_changed"]
        last: Mapping[str, object] = results[-1]["results"] if results else {}
        self._world.require(json.loads(row["results"]) == last, f"P5: {key} is deleted before its results are stored")

    # ---------- what the master says

    def on_sent(self, end: End, frame: bytes) -> None:
        for message in decode_to_worker(frame):
            if self._world.is_traced:
                self._world.say(end.name, f"says {message!r:.200}")
            match message:
                case Welcome():
                    self._on_welcome(end)
                case Execute():
                    self._on_execute(end, RunKey(message.run, message.attempt))
                case Acknowledged():
                    durable = self._durable.get(RunKey(message.run, message.attempt), _Durable())
                    self._world.require(
                        message.sequence <= durable.sequence and message.log_size <= durable.log_size,
                        f"P5: {message} is said, and {durable} is stored",
                    )
                case Release():
                    row = self.row(message.run)
                    is_over = RunStatus(row["status"]).is_terminal or row["attempt"] > message.attempt
                    self._world.require(is_over, f"P5: {message} is said, and the run is {row['status']}")
                case _:
                    pass

    def _on_welcome(self, end: End) -> None:
        worker = _worker_of(end)
        earlier = self._welcomed.get(worker)
        if earlier is not None and earlier.process is end.process and earlier.process.is_alive:
            self._world.require(earlier.is_over, f"{worker} is welcomed, and its connection before is still served")
        self._welcomed[worker] = end

    def _on_execute(self, end: End, key: RunKey) -> None:
        row = self.row(key.run)
        worker = _worker_of(end)
        if row["attempt"] == key.attempt:
            self._world.require(row["worker"] == worker, f"P2: {worker} is to execute {key}, which {row['worker']} has")

    # ---------- in the end

    def check_answered(self) -> None:
        """P1: every trigger that was answered has made the run that the answer named, and no other."""
        by_key = {row["idempotency_key"]: row["identifier"] for row in self.rows()}
        self._world.require(by_key == self.answered, f"P1: {self.answered} was answered, {by_key} is stored")

    def unfinished(self) -> list[str]:
        """What still waits or executes, or lies on a disk."""
        waiting = [
            f"{row['identifier']}.{row['attempt']} is {row['status']} on {row['worker']}"
            for row in self.rows()
            if not RunStatus(row["status"]).is_terminal
        ]
        return waiting + [f"{machine.name} has {key}" for machine in self._machines for key in machine.directories]


def _worker_of(end: End) -> str:
    return end.name.partition("#")[0]
