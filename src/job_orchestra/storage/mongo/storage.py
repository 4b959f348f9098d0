"""The port for records on MongoDB: a few threads write, a few read, all over one client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.storage import answers
from job_orchestra.storage.mongo.changes import carry_out, insert_all
from job_orchestra.storage.mongo.clients import Clients
from job_orchestra.storage.mongo.queries import count, find, find_all
from job_orchestra.storage.mongo.sessions import Found, Session
from job_orchestra.storage.mongo.statements import PreparedBatch, Statements
from job_orchestra.storage.mongo.waiting import Threads, Waiting
from job_orchestra.storage.port import Batch, Count, Find, Outcome, Row, StorageUnavailable

T = TypeVar("T")

_Query: TypeAlias = Callable[[Found], Any]

_WRITERS = 4
"""The server flushes for all who wait at the moment; more threads than these keep each other from computing."""
_READERS = 4


class MongoStorage:
    """Implements `storage.port.Storage`; connects when it is used first.

    Commands are prepared in the event loop, so that mistakes of the program are raised at once, where they are made.
    """

    def __init__(self, clients: Clients, patience: float = answers.PATIENCE) -> None:
        self._name = clients.name
        self._patience = patience
        self._statements = Statements()
        self._session = Session(clients)
        self._writers: Threads[PreparedBatch] | None = None
        self._readers: Threads[_Query] | None = None
        self._is_closed = False

    @property
    def commits_batches_whole(self) -> bool:
        return False

    async def find(self, query: Find) -> list[Row]:
        prepared = self._statements.find(query)
        return await self._fetch(lambda found: find(found.database, prepared))

    async def find_all(self, queries: Sequence[Find]) -> list[list[Row]]:
        prepared = [self._statements.find(query) for query in queries]
        return await self._fetch(lambda found: find_all(found, prepared)) if prepared else []

    async def count(self, query: Count) -> int:
        prepared = self._statements.count(query)
        return await self._fetch(lambda found: count(found.database, prepared))

    async def write(self, batch: Batch) -> Outcome:
        prepared = self._statements.batch(batch)
        if not prepared.steps:
            return Outcome()
        self._check_open()
        if self._writers is None:
            self._writers = Threads("writer", _WRITERS, self._write)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        lone = prepared.lone_insert
        kind = (lone.collection, lone.ignore_duplicates) if lone else None
        self._writers.put(Waiting(prepared, future, kind))
        return await answers.wait(future, self._name, self._patience)

    async def close(self) -> None:
        self._is_closed = True
        await asyncio.to_thread(self._end)

    async def _fetch(self, query: Callable[[Found], T]) -> T:
        self._check_open()
        if self._readers is None:
            self._readers = Threads("reader", _READERS, self._read)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._readers.put(Waiting(query, future))
        return await answers.wait(future, self._name, self._patience)

    def _check_open(self) -> None:
        if self._is_closed:
            raise StorageUnavailable(f"{self._name} was closed: this process is ending.")

    def _end(self) -> None:
        threads = [threads for threads in (self._writers, self._readers) if threads is not None]
        for each in threads:
            each.close()
        for each in threads:
            each.join()
        self._session.close()

    # ---------- in the threads

    def _read(self, taken: Sequence[Waiting[_Query]]) -> None:
        for waiting in taken:
            try:
                with self._session.use() as found:
                    answer = waiting.work(found)
            except Exception as error:  # all become answers, for the thread must live on
                answer = error
            answers.give([(waiting.future, answer)])

    def _write(self, taken: Sequence[Waiting[PreparedBatch]]) -> None:
        reach(FailPoint.STORAGE_GATHERED)
        outcomes: Sequence[Outcome | Exception]
        try:
            with self._session.use() as found:
                outcomes = _outcomes(found, [waiting.work for waiting in taken])
        except Exception as error:  # likewise
            outcomes = [answers.same_for_another(error) for _ in taken]
        reach(FailPoint.STORAGE_COMMITTED)
        answers.give([(waiting.future, outcome) for waiting, outcome in zip(taken, outcomes, strict=True)])


def _outcomes(found: Found, batches: Sequence[PreparedBatch]) -> Sequence[Outcome]:
    lone_inserts = [insert for batch in batches if (insert := batch.lone_insert)]
    if len(lone_inserts) == len(batches):
        return insert_all(found.database, lone_inserts)
    return [carry_out(found.database, batches[0])]
