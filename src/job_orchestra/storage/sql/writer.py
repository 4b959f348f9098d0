"""The one thread that writes: all batches that wait at the moment become one transaction with one commit.

Nobody waits for company: while one transaction is being committed, the batches of the next one gather by themselves.
Between batches that wait together there is no order; operations of one keep theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.storage import answers
from job_orchestra.storage.port import Outcome
from job_orchestra.storage.sql.databases import Connection, Database
from job_orchestra.storage.sql.sessions import Session
from job_orchestra.storage.sql.statements import Prepared, PreparedOperation

_MOST_GATHERED = 500
_MOST_TRIES = 10

_SAVE = Prepared("SAVEPOINT batch", ())
_RELEASE = Prepared("RELEASE SAVEPOINT batch", ())
_UNDO = Prepared("ROLLBACK TO SAVEPOINT batch", ())


@dataclass(frozen=True, slots=True)
class _Waiting:
    operations: tuple[PreparedOperation, ...]
    future: asyncio.Future[Outcome]

    @property
    def may_need_undoing(self) -> bool:
        """What ends at its first operation has changed nothing yet, unless the database ends more than that."""
        return any(operation.may_collide for operation in self.operations) or any(
            operation.may_fail for operation in self.operations[1:]
        )


class Writer:
    def __init__(self, database: Database) -> None:
        self._session = Session(database, is_writer=True)
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="storage writer", daemon=True)
        self._thread.start()

    def write(self, operations: tuple[PreparedOperation, ...], future: asyncio.Future[Outcome]) -> None:
        self._queue.put(_Waiting(operations, future))

    def close(self) -> None:
        """Ends the thread when it has answered what was written before."""
        self._queue.put(None)

    def join(self) -> None:
        self._thread.join()

    def _serve(self) -> None:
        while gathered := self._gather():
            # What its caller was told to have failed for want of an answer is not carried out long afterwards.
            gathered = [each for each in gathered if not each.future.done()]
            if not gathered:
                continue
            reach(FailPoint.STORAGE_GATHERED)
            outcomes = self._carry_out(gathered)
            reach(FailPoint.STORAGE_COMMITTED)
            answers.give([(each.future, outcome) for each, outcome in zip(gathered, outcomes, strict=True)])
        self._session.close()

    def _gather(self) -> list[_Waiting]:
        """What waits now; empty at the end."""
        gathered: list[_Waiting] = []
        waiting = self._queue.get()
        try:
            while waiting is not None:
                gathered.append(waiting)
                if len(gathered) == _MOST_GATHERED:
                    break
                waiting = self._queue.get_nowait()
            else:
                if gathered:
                    self._queue.put(None)  # once more, for the next round to end with
        except Empty:
            pass
        return gathered

    def _carry_out(self, gathered: Sequence[_Waiting]) -> Sequence[Outcome | Exception]:
        for tries in range(1, _MOST_TRIES + 1):
            try:
                return self._transaction(gathered)
            except Exception as error:  # each driver has its own; all become answers, for the thread must live on
                told = self._session.failed(error)
                if self._session.is_conflict(error) and tries < _MOST_TRIES:
                    continue
                if told is not error or len(gathered) == 1:
                    return [answers.same_for_another(told) for _ in gathered]
                break
        # One of them is at fault, and undid the others: each on its own, and only that one fails.
        return [outcome for each in gathered for outcome in self._carry_out([each])]

    def _transaction(self, gathered: Sequence[_Waiting]) -> list[Outcome]:
        connection = self._session.connection()
        if len(gathered) == 1:
            return [_alone(connection, gathered[0])]
        connection.begin()
        # What can end at its first operation only, before anything to undo, goes side by side; the others one by one.
        side_by_side = [each for each in gathered if not each.may_need_undoing]
        others = [each for each in gathered if each.may_need_undoing]
        outcomes = dict(zip(map(id, side_by_side), _side_by_side(connection, side_by_side, not others), strict=True))
        for each in others:
            outcomes[id(each)] = _undoable(connection, each)
        if others:
            connection.commit()
        return [outcomes[id(each)] for each in gathered]


def _alone(connection: Connection, waiting: _Waiting) -> Outcome:
    if len(waiting.operations) == 1:
        return _outcome(waiting, [connection.change(waiting.operations[0].statement)])
    connection.begin()
    if not waiting.may_need_undoing:
        return _side_by_side(connection, [waiting], commit=True)[0]
    outcome = _one_by_one(connection, waiting)
    if outcome.is_applied:
        connection.commit()
    else:
        connection.rollback()
    return outcome


def _side_by_side(connection: Connection, batches: Sequence[_Waiting], commit: bool) -> list[Outcome]:
    """First the first operation of each, then the second of those that go on, and so forth."""
    rows: list[list[int]] = [[] for _ in batches]
    going_on = list(zip(batches, rows, strict=True))
    number = 0
    while going_on:
        is_last = commit and all(len(waiting.operations) == number + 1 for waiting, _ in going_on)
        statements = [waiting.operations[number].statement for waiting, _ in going_on]
        for (_, changed), count in zip(going_on, connection.change_all(statements, commit=is_last), strict=True):
            changed.append(count)
        if is_last:
            break
        number += 1
        going_on = [
            (waiting, changed)
            for waiting, changed in going_on
            if len(waiting.operations) > number and _outcome(waiting, changed).is_applied
        ]
    else:
        if commit:
            connection.commit()
    return [_outcome(waiting, changed) for waiting, changed in zip(batches, rows, strict=True)]


def _undoable(connection: Connection, waiting: _Waiting) -> Outcome:
    connection.change(_SAVE)
    outcome = _one_by_one(connection, waiting)
    if not outcome.is_applied:
        connection.change(_UNDO)
    connection.change(_RELEASE)
    return outcome


def _one_by_one(connection: Connection, waiting: _Waiting) -> Outcome:
    rows: list[int] = []
    for operation in waiting.operations:
        rows.append(connection.change(operation.statement))
        if not (outcome := _outcome(waiting, rows)).is_applied:
            return outcome
    return Outcome(tuple(rows))


def _outcome(waiting: _Waiting, rows: Sequence[int]) -> Outcome:
    """After the operations that changed so many rows; only the last one can have failed."""
    has_failed = rows[-1] == 0 and waiting.operations[len(rows) - 1].may_fail
    return Outcome(tuple(rows), failed_at=len(rows) - 1 if has_failed else None)
