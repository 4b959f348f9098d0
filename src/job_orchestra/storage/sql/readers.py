"""The threads that read, each with its own connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from job_orchestra.storage import answers
from job_orchestra.storage.sql.databases import Database
from job_orchestra.storage.sql.sessions import Session
from job_orchestra.storage.sql.statements import Prepared, SqlRow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting:
    statements: Sequence[Prepared]
    decode: Callable[[list[Sequence[SqlRow]]], Any]
    future: asyncio.Future[Any]


class Readers:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._serve, name=f"storage reader {number}", daemon=True)
            for number in range(1, database.readers + 1)
        ]
        for thread in self._threads:
            thread.start()

    def fetch(
        self,
        statements: Sequence[Prepared],
        decode: Callable[[list[Sequence[SqlRow]]], T],
        future: asyncio.Future[T],
    ) -> None:
        """`decode` makes the answer of the rows of each statement, in the reader's thread."""
        self._queue.put(_Waiting(statements, decode, future))

    def close(self) -> None:
        """Ends the threads when they have answered what was asked before."""
        for _ in self._threads:
            self._queue.put(None)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        session = Session(self._database, is_writer=False)
        while (waiting := self._queue.get()) is not None:
            if waiting.future.done():  # nobody waits for it any more
                continue
            try:
                answer = waiting.decode(session.connection().fetch(waiting.statements))
            except Exception as error:  # each driver has its own; all become answers, for the thread must live on
                answer = session.failed(error)
            answers.give([(waiting.future, answer)])
        session.close()
