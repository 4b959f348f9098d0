"""What differs between SQL databases, behind one interface; a new one joins here."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import URL, Dialect
from sqlalchemy import Connection as SqlAlchemyConnection

from job_orchestra.storage.port import DatabaseDescription, StorageUnavailable
from job_orchestra.storage.sql.statements import Prepared, PreparedRows, SqlRow
from job_orchestra.storage.sql.urls import DatabaseKind, DatabaseUrl

NO_SCHEMA = "has no schema yet, or another one; `orchestra database status` tells what helps"


class Connection(Protocol):
    """One connection, used by one thread, never inside a transaction between two units of work."""

    def begin(self) -> None:
        """For writing."""
        ...

    def change(self, statement: Prepared) -> int:
        """How many rows it changed, none where a key is taken; a transaction of its own unless one was begun.

        What was begun goes on where a key is taken; if the statement may collide, by a savepoint of the caller's.
        """
        ...

    def change_all(self, statements: Sequence[Prepared], *, commit: bool) -> list[int]:
        """The same for several that do not depend on each other, within what was begun, and then the end of that."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None:
        """Nothing happens where nothing was begun."""
        ...

    def fetch(self, statements: Sequence[Prepared]) -> list[Sequence[SqlRow]]:
        """The rows of each; in one snapshot."""
        ...

    def close(self) -> None:
        """Never raises."""
        ...


class Database(Protocol):
    """Where and how to connect."""

    name: str
    """Begins messages; without the password."""
    dialect: Dialect
    """With positional parameters."""
    readers: int
    """How many threads read."""

    def connect(self, *, is_writer: bool) -> Connection:
        """May raise what `translate` knows."""
        ...

    def is_usable(self, connection: Connection) -> bool:
        """Whether a connection that was idle still stands, as far as this side can tell at no cost."""
        ...

    def is_conflict(self, error: Exception) -> bool:
        """The transaction was undone because of another one: repeat it."""
        ...

    def translate(self, error: Exception) -> StorageUnavailable | None:
        """None for what is a mistake in the program."""
        ...

    def sqlalchemy_url(self) -> URL:
        """Of the dialect; how to connect is known to `connect_driver` alone. May look at the server."""
        ...

    def connect_driver(self, *, is_writer: bool) -> Any:
        """A connection of the driver, for migrations."""
        ...

    def begin_snapshot(self, connection: Any) -> None:
        """On a new connection of the driver: from here on it sees one moment, and hands out JSON as the text it is."""
        ...

    def alone(self, connection: SqlAlchemyConnection) -> AbstractContextManager[None]:
        """What is done within is one transaction, where the database has such for its schema, to be ended within.

        Others who would be alone wait; StorageUnavailable if they have waited long.
        """
        ...

    def insert_all(self, connection: Any, prepared: PreparedRows) -> bool:
        """Many rows, the quickest way, on a connection of the driver within its transaction.

        False if one of them is there already, by its key or a unique index: then the transaction is to be undone.
        """
        ...

    def describe(self) -> DatabaseDescription: ...

    def warnings(self) -> Sequence[str]:
        """Sentences about settings of the server with which what was answered may be lost."""
        ...

    def exists(self) -> bool:
        """Whether there is a file or a database that may have a schema."""
        ...

    def create(self) -> None:
        """An empty one; it may have come into being meanwhile."""
        ...


def database_at(url: DatabaseUrl) -> Database:
    match url.kind:
        case DatabaseKind.SQLITE:
            from job_orchestra.storage.sql.sqlite import SqliteDatabase

            return SqliteDatabase(url)
        case DatabaseKind.POSTGRESQL:
            from job_orchestra.storage.sql.postgresql import PostgresqlDatabase

            return PostgresqlDatabase(url)
        case DatabaseKind.MYSQL:
            from job_orchestra.storage.sql.mysql import MysqlDatabase

            return MysqlDatabase(url)
