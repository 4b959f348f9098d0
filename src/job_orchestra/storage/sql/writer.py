"""The one thread that writes: all batches that wait at the moment become one transaction with one commit.

Nobody waits for company: while one transaction is being committed, the batches of the next one gather by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from job_orchestra.storage.port import Outcome
from job_orchestra.storage.sql import answers
from job_orchestra.storage.sql.databases import Connection, Database
from job_orchestra.storage.sql.sessions import Session, same_for_another
from job_orchestra.storage.sql.statements import Prepared, PreparedOperation

_MOST_GATHERED = 500
_MOST_TRIES = 10

_SAVE = Prepared("SAVEPOINT batch", ())
_KEEP = Prepared("RELEASE SAVEPOINT batch", ())
_UNDO = Prepared("ROLLBACK TO SAVEPOINT batch", ())


@dataclass(frozen=True, slots=True)
class _Waiting:
    operations: tuple[PreparedOperation, ...]
    future: asyncio.Future[Outcome]

    @property
    def may_need_undoing(self) -> bool:
        """What ends at its first operation has changed nothing yet."""
        return any(operation.may_fail for operation in self.operations[1:])


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
            outcomes = self._carry_out(gathered)
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
                    return [same_for_another(told) for _ in gathered]
                break
        # One of them is at fault, and undid the others: each on its own, and only that one fails.
        return [outcome for each in gathered for outcome in self._carry_out([each])]

    def _transaction(self, gathered: Sequence[_Waiting]) -> list[Outcome | Exception]:
        connection = self._session.connection()
        if len(gathered) == 1:
            return [self._alone(connection, gathered[0])]
        connection.begin()
        outcomes: list[Outcome | Exception] = [self._in_company(connection, each) for each in gathered]
        connection.commit()
        return outcomes

    def _alone(self, connection: Connection, waiting: _Waiting) -> Outcome:
        if len(waiting.operations) == 1:
            return _apply(connection, waiting.operations)
        connection.begin()
        outcome = _apply(connection, waiting.operations)
        if outcome.is_applied:
            connection.commit()
        else:
            connection.rollback()
        return outcome

    def _in_company(self, connection: Connection, waiting: _Waiting) -> Outcome:
        if not waiting.may_need_undoing:
            return _apply(connection, waiting.operations)
        connection.change(_SAVE)
        outcome = _apply(connection, waiting.operations)
        if not outcome.is_applied:
            connection.change(_UNDO)
        connection.change(_KEEP)
        return outcome


def _apply(connection: Connection, operations: Sequence[PreparedOperation]) -> Outcome:
    rows: list[int] = []
    for number, operation in enumerate(operations):
        changed = connection.change(operation.statement)
        rows.append(changed)
        if changed == 0 and operation.may_fail:
            return Outcome(tuple(rows), failed_at=number)
    return Outcome(tuple(rows))
