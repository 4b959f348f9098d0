"""The port for records on an SQL database: one thread writes, a few read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from job_orchestra.storage import answers
from job_orchestra.storage.port import Batch, Count, Find, Outcome, Row, StorageUnavailable
from job_orchestra.storage.sql.databases import Database
from job_orchestra.storage.sql.readers import Readers
from job_orchestra.storage.sql.statements import Prepared, SqlRow, Statements
from job_orchestra.storage.sql.writer import Writer

T = TypeVar("T")


class SqlStorage:
    """Implements `storage.port.Storage`; connects when it is used first.

    Statements are prepared in the event loop, so that mistakes of the program are raised at once, where they are made.
    """

    def __init__(self, database: Database, patience: float = answers.PATIENCE) -> None:
        self._database = database
        self._patience = patience
        self._statements = Statements(database.dialect)
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._is_closed = False

    @property
    def commits_batches_whole(self) -> bool:
        return True

    async def find(self, query: Find) -> list[Row]:
        found = self._statements.find(query)
        return await self._fetch([found.statement], lambda fetched: found.decode(fetched[0]))

    async def find_all(self, queries: Sequence[Find]) -> list[list[Row]]:
        finds = [self._statements.find(query) for query in queries]
        if not finds:
            return []
        return await self._fetch(
            [find.statement for find in finds],
            lambda fetched: [find.decode(rows) for find, rows in zip(finds, fetched, strict=True)],
        )

    async def count(self, query: Count) -> int:
        return await self._fetch([self._statements.count(query)], _number)

    async def write(self, batch: Batch) -> Outcome:
        operations = tuple(self._statements.operation(operation) for operation in batch.operations)
        if not operations:
            return Outcome()
        self._check_open()
        if self._writer is None:
            self._writer = Writer(self._database)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._writer.write(operations, future)
        return await answers.wait(future, self._database.name, self._patience)

    async def close(self) -> None:
        threads = [threads for threads in (self._writer, self._readers) if threads is not None]
        if not self._is_closed:
            self._is_closed = True
            for each in threads:
                each.close()
        for each in threads:
            await asyncio.to_thread(each.join)

    async def _fetch(self, statements: Sequence[Prepared], decode: Callable[[list[Sequence[SqlRow]]], T]) -> T:
        self._check_open()
        if self._readers is None:
            self._readers = Readers(self._database)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._readers.fetch(statements, decode, future)
        return await answers.wait(future, self._database.name, self._patience)

    def _check_open(self) -> None:
        if self._is_closed:
            raise StorageUnavailable(f"{self._database.name} was closed: this process is ending.")


def _number(fetched: list[Sequence[SqlRow]]) -> int:
    number = fetched[0][0][0]
    assert isinstance(number, int)
    return number
