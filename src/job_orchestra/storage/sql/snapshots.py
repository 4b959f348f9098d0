"""Reading everything, in one transaction and in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing

import sqlalchemy as sa

from job_orchestra.storage.port import Row
from job_orchestra.storage.sql.statements import Statements

_ROWS_AT_ONCE = 100
"""Rows can be large."""


class SqlSnapshot:
    """Implements `storage.port.Snapshot`, on a connection that has begun its snapshot."""

    def __init__(
        self,
        connection: sa.Connection,
        statements: Statements,
        translated: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._translated = translated

    def rows(self, collection: str) -> Iterator[Row]:
        find = self._statements.all_rows(collection)
        with self._translated():
            # As the driver hands them out, by a cursor of the server where there is a server.
            result = self._connection.exec_driver_sql(
                find.statement.text, find.statement.arguments, {"yield_per": _ROWS_AT_ONCE}
            )
        with closing(result):
            while True:
                with self._translated():
                    fetched = result.fetchmany(_ROWS_AT_ONCE)
                if not fetched:
                    return
                yield from find.decode(map(tuple, fetched))
