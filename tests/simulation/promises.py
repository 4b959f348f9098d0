"""The promises, checked wherever they could be broken, at the moment at which it happens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from job_orchestra.domain.job_data import run_request_from_data
from job_orchestra.domain.jobs import LossPolicy, OnLost
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import SourceKind
from job_orchestra.domain.statuses import TRANSITIONS, RunStatus
from job_orchestra.protocol.codec import decode_to_worker
from job_orchestra.protocol.messages import Acknowledged, Execute, Release, Welcome
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.storage.log_port import LogKey
from job_orchestra.storage.schema import EVENTS, LATE_REPORTS, RUNS, WORKERS
from tests.simulation.bound_promises import BoundPromises, is_bound
from tests.simulation.machine import Attempt, Machine
from tests.simulation.master import LIMIT, LIMITED
from tests.simulation.memory_logs import LogBytes
from tests.simulation.memory_storage import Change, MemoryDatabase, Stored
from tests.simulation.network import End
from tests.simulation.pipeline_promises import PipelinePromises
from tests.simulation.world import World

_NUMBER_SIZE = 4
"""Of a frame, before its messages."""
_BY_USERS = {ReasonCode.ABORT_REQUESTED, ReasonCode.CANCEL_REQUESTED}
_FINAL = (
    "status", "reason_code", "reason", "attempt", "results", "ended_at", "log_size", "log_sha256", "worker",
    "past_attempts",
)  # fmt: skip


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
        self._pipelines = PipelinePromises(world, database, logs)
        self._bound = BoundPromises(world, database)
        self._durable: dict[RunKey, _Durable] = {}
        self._welcomed: dict[str, End] = {}
        self.answered: dict[str, str] = {}
        """Idempotency key and run of every trigger that was answered with success."""
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
            elif change.collection == LATE_REPORTS.name and change.after is not None:
                self._note_sequence(RunKey(change.after["run"], change.after["attempt"]), change.after)

    def _on_run(self, before: Stored | None, after: Stored | None) -> None:
        if after is None:
            self._world.violate("P1: a run is deleted")
            return
        name = after["identifier"]
        self._check_group(after)
        self._note_sequence(RunKey(name, after["attempt"]), after)
        if before is None:
            (self._bound if is_bound(after) else self._pipelines).on_new_run(after)
            return
        if after["should_abort"] and not before["should_abort"]:
            self._bound.on_wish(after)
        old, new = RunStatus(before["status"]), RunStatus(after["status"])
        if old.is_terminal:
            changed = [column for column in _FINAL if before[column] != after[column]]
            self._world.require(not changed, f"P6: {name} was {old}, and {changed} changed")
            return
        if after["attempt"] != before["attempt"]:
            self._on_next_attempt(before, after)
        elif old is RunStatus.RUNNING and new is RunStatus.PENDING:
            self._world.violate(f"P2: {name} waits again as the same attempt")
        if new is not old and new not in TRANSITIONS[old] and not (old is RunStatus.PENDING and new.is_terminal):
            self._world.violate(f"P6: {name} was {old} and becomes {new}")
        if new.is_terminal:
            self._on_end(after, new)

    def _on_next_attempt(self, before: Stored, after: Stored) -> None:
        name, known = after["identifier"], _past_of(before)
        past = _past_of(after)
        if after["attempt"] != before["attempt"] + 1 or past[: len(known)] != known:
            self._world.violate(f"P2: {name} goes from attempt {before['attempt']} and {known} to {after}")
        if before["status"] == RunStatus.RUNNING or len(past) > len(known):
            ends = [one for one in past[len(known) :] if one["attempt"] == before["attempt"]]
            self._world.require(len(ends) == 1, f"P8: {name} is retried, and {past} is known of its attempts")
            self._check_retry(after, ends[0])
            self._on_end({**before, **ends[0]}, RunStatus(ends[0]["status"]))

    def _check_retry(self, row: Stored, end: Mapping[str, Any]) -> None:
        """The policies of the job want it, and no user has anything against it."""
        name, request = row["identifier"], run_request_from_data(json.loads(row["request"]))
        self._world.require(not (row["should_abort"] or row["should_cancel"]), f"P3: {name} is retried, and unwanted")
        reason = Reason(ReasonCode(end["reason_code"]), end["reason"])
        if reason.code is ReasonCode.WORKER_LOST:
            is_wanted = request.loss.on_lost is OnLost.RETRY
        else:
            retries = sum(one["reason_code"] != ReasonCode.WORKER_LOST for one in _past_of(row))
            is_wanted = request.retry.is_cause(RunStatus(end["status"]), reason) and retries <= request.retry.retries
        self._world.require(is_wanted, f"P2: {name} waits again after {end}, and is not to be retried")

    def _check_group(self, row: Stored) -> None:
        """No more runs of a concurrency group have a worker than it has slots."""
        if row["job"] in LIMITED:
            holding = [one["identifier"] for one in self.rows() if one["job"] in LIMITED and _is_active(one)]
            self._world.require(len(holding) <= LIMIT, f"{holding} are assigned or running, and {LIMIT} may be")
            is_held = row["concurrency_slot"] is not None
            self._world.require(is_held == _is_active(row), f"{row['identifier']} has {row['concurrency_slot']}")

    def _note_sequence(self, key: RunKey, row: Stored) -> None:
        durable = self._durable.setdefault(key, _Durable())
        durable.sequence = max(durable.sequence, row["journal_sequence"])

    def _on_end(self, row: Stored, status: RunStatus) -> None:
        """P3: there is a cause of the end."""
        name, code = row["identifier"], row["reason_code"]
        key = RunKey(name, row["attempt"])
        self._world.say("database", f"{key} is {status} ({code})")
        self._world.require(bool(code and row["reason"]), f"P8: {name} ends as {status} without a reason")
        if code in _BY_USERS:
            is_wished = row["should_abort"] or row["should_cancel"]
            self._world.require(is_wished, f"P3: {name} is {status} and nobody wished it")
        self._bound.on_end(row)
        if self._pipelines.is_pipeline(name):
            self._pipelines.on_end(row)
            return
        attempt = self._attempt(key)
        if code == ReasonCode.CANCEL_REQUESTED:
            is_started = attempt is not None and attempt.starts > 0
            self._world.require(not is_started, f"P3: {name} is cancelled, and its commands were started")
        elif code in (ReasonCode.EXECUTOR_HOST_LOST, ReasonCode.HOST_RESTARTED, ReasonCode.WORKER_LOST):
            is_lost = attempt is not None and code in attempt.lost
            is_lost = is_lost or (code == ReasonCode.WORKER_LOST and self._may_be_given_up(row))
            self._world.require(is_lost, f"P3: {name} ends as {code}, which did not befall it")
        if _is_given_up(row):
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

    def _may_be_given_up(self, row: Stored) -> bool:
        """Its job or a user wants it, or the worker has another directory than the one that the master knows."""
        if _loss_of(row).on_lost is not OnLost.WAIT or row["should_abort"] or row["should_cancel"]:
            return True
        worker = row["worker"]
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
        if row["sequence"] == 1 and row["kind"] == "started":
            over = {one["attempt"] for one in _past_of(self.row(key.run))}
            others = set(range(1, key.attempt)) - over
            earlier = [one for number in others if (one := self._attempt(RunKey(key.run, number)))]
            is_first = not any(one.starts for one in earlier)
            self._world.require(is_first, f"P2: {key} has started, and so has an attempt before it")

    # ---------- the logs

    def _on_log(self, key: LogKey, log: bytearray) -> None:
        # Late reports have logs of their own, of the same bytes.
        run = RunKey(key.run, key.attempt)
        if self._pipelines.is_pipeline(key.run):
            self._pipelines.on_log(key, log)
            return
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
        attempt = self._attempt(key)
        is_over = any(one["attempt"] == key.attempt and one["log_sha256"] for one in _past_of(row))
        if not is_over and (row["attempt"] > key.attempt or _is_given_up(row)):
            self._check_late(key, attempt)
            return
        is_over = is_over or RunStatus(row["status"]).is_terminal
        if not is_over or attempt is None or attempt.ended is None:
            self._world.violate(f"P5: {key} is deleted while it is {row['status']}")
            return
        log = self._logs.logs.get(LogKey("p", *key), bytearray())
        self._world.require(log == attempt.log, f"P5: {key} is deleted before its log is stored")
        events = self._database.table(EVENTS.name).rows
        numbers = sorted(int(str(number)) for *of, number in events if tuple(of) == key)
        is_complete = numbers == [*range(1, len(numbers) + 1)] and events[*key, numbers[-1]]["kind"] == "ended"
        self._world.require(is_complete, f"P5: {key} is deleted before its events are stored")
        if row["attempt"] > key.attempt:
            return
        results = [json.loads(events[*key, n]["data"]) for n in numbers if events[*key, n]["kind"] == "results_changed"]
        last: Mapping[str, object] = results[-1]["results"] if results else {}
        self._world.require(json.loads(row["results"]) == last, f"P5: {key} is deleted before its results are stored")

    def _check_late(self, key: RunKey, attempt: Attempt | None) -> None:
        """It counts no more; what it has come to is kept beside the run all the same."""
        if attempt is None or not attempt.starts or attempt.lost:
            return
        report = self._database.table(LATE_REPORTS.name).rows.get(tuple(key))
        is_told = attempt.ended is not None and report is not None and report["status"] == attempt.ended.status
        log = self._logs.logs.get(LogKey("p", *key, is_late=True), bytearray())
        self._world.require(is_told and log == attempt.log, f"P5: {key} is deleted, and of its late report is {report}")

    # ---------- what the master says

    def on_sent(self, end: End, frame: bytes) -> None:
        for message in decode_to_worker(frame[_NUMBER_SIZE:]) if len(frame) > _NUMBER_SIZE else ():
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
        by_users = [row for row in self.rows() if row["source_kind"] == SourceKind.USER]
        by_key = {row["idempotency_key"]: row["identifier"] for row in by_users}
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


def _past_of(row: Stored) -> list[dict[str, Any]]:
    """What the run remembers of the attempts before its present one."""
    past: list[dict[str, Any]] = json.loads(row["past_attempts"] or "[]")
    return past


def _loss_of(row: Stored) -> LossPolicy:
    return run_request_from_data(json.loads(row["request"])).loss


def _is_active(row: Stored) -> bool:
    """Assigned or running."""
    return row["worker"] is not None and not RunStatus(row["status"]).is_terminal


def _is_given_up(row: Stored) -> bool:
    """It has ended by the master's word alone, so nobody has compared the log."""
    lost = (ReasonCode.WORKER_LOST, ReasonCode.HOST_RESTARTED)
    return row["reason_code"] in lost and row["log_sha256"] is None
