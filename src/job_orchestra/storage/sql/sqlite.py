"""SQLite: a file beside the programs, in WAL mode, so that readers and the one writer never wait for each other."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Dialect
from sqlalchemy import Connection as SqlAlchemyConnection
from sqlalchemy.dialects import sqlite

from job_orchestra.storage.port import DatabaseDescription, StorageUnavailable
from job_orchestra.storage.sql.databases import NO_SCHEMA, Connection
from job_orchestra.storage.sql.statements import Prepared, PreparedRows, SqlRow
from job_orchestra.storage.sql.urls import DatabaseUrl

LOCK_TIMEOUT = 5.0

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_PROTOCOL: "is locked by another process",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_READONLY: "is read-only",
    sqlite3.SQLITE_PERM: "may not be used by this user",
    sqlite3.SQLITE_AUTH: "may not be used by this user",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; if it does not exist yet, `orchestra database create` creates it",
    sqlite3.SQLITE_IOERR: "cannot be read or written: input/output error",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is no SQLite database",
    sqlite3.SQLITE_NOMEM: "cannot be used: out of memory",
    sqlite3.SQLITE_SCHEMA: "changes its schema at the moment",
}


class SqliteConnection:
    def __init__(self, connection: sqlite3.Connection, lock_timeout: float) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._lock_timeout = lock_timeout

    def begin(self) -> None:
        """Takes the lock for writing."""
        _execute_patiently(self._connection, "BEGIN IMMEDIATE", self._lock_timeout)

    def change(self, statement: Prepared) -> int:
        if not self._connection.in_transaction:
            self.begin()
            try:
                changed = self._change(statement)
                self.commit()
            except BaseException:
                self.rollback()
                raise
            return changed
        return self._change(statement)

    def _change(self, statement: Prepared) -> int:
        try:
            return self._execute(statement.text, statement.arguments).rowcount
        except sqlite3.IntegrityError as error:
            # The statement is undone by itself, and what came before it in the transaction stands.
            if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                return 0
            raise

    def change_all(self, statements: Sequence[Prepared], *, commit: bool) -> list[int]:
        changed = [self._change(statement) for statement in statements]
        if commit:
            self.commit()
        return changed

    def commit(self) -> None:
        self._execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._execute("ROLLBACK")

    def fetch(self, statements: Sequence[Prepared]) -> list[Sequence[SqlRow]]:
        if len(statements) == 1:
            return [self._execute(statements[0].text, statements[0].arguments).fetchall()]
        self._execute("BEGIN")
        try:
            return [self._execute(statement.text, statement.arguments).fetchall() for statement in statements]
        finally:
            self.rollback()

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()


class SqliteDatabase:
    readers = 2

    def __init__(self, url: DatabaseUrl, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self._path = Path(url.database)
        self.name = f"The database {url.database}"
        self.dialect: Dialect = sqlite.dialect(paramstyle="qmark")
        self._lock_timeout = lock_timeout

    def connect(self, *, is_writer: bool) -> Connection:
        connection = self.connect_driver(is_writer=is_writer)
        if is_writer:
            connection.execute("PRAGMA busy_timeout = 0")  # from here on `begin` waits by itself
        return SqliteConnection(connection, self._lock_timeout)

    def connect_driver(self, *, is_writer: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=self._lock_timeout,
            cached_statements=512,
        )
        try:
            for pragma in self._pragmas(is_writer=is_writer):
                _execute_patiently(connection, f"PRAGMA {pragma}", self._lock_timeout)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _pragmas(self, *, is_writer: bool) -> tuple[str, ...]:
        if not is_writer:
            return ("query_only = ON", "cache_size = -8192")
        return (
            "journal_mode = WAL",
            "synchronous = FULL",
            "cache_size = -16384",
            "journal_size_limit = 67108864",
        )

    def is_usable(self, connection: Connection) -> bool:
        return True

    def is_conflict(self, error: Exception) -> bool:
        return False  # there is one writer at a time, and it has its lock from the beginning

    def translate(self, error: Exception) -> StorageUnavailable | None:
        if isinstance(error, OSError):
            return StorageUnavailable(f"{self.name} cannot be created: {error.strerror}.")
        if not isinstance(error, sqlite3.Error):
            return None
        message = _UNAVAILABLE.get(_primary_code(error))
        if message is None and str(error).startswith(("no such table", "no such column")):
            message = NO_SCHEMA
        if message is None and " has no column named " in str(error):
            message = NO_SCHEMA
        return StorageUnavailable(f"{self.name} {message}.") if message else None

    def sqlalchemy_url(self) -> URL:
        return URL.create("sqlite")

    def begin_snapshot(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")

    @contextmanager
    def alone(self, connection: SqlAlchemyConnection) -> Generator[None]:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield

    def insert_all(self, connection: sqlite3.Connection, prepared: PreparedRows) -> bool:
        return connection.executemany(prepared.text, prepared.rows).rowcount == len(prepared.rows)

    def describe(self) -> DatabaseDescription:
        size = 0
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                size += self._path.with_name(self._path.name + suffix).stat().st_size
        return DatabaseDescription(f"SQLite {sqlite3.sqlite_version}", size)

    def warnings(self) -> Sequence[str]:
        return ()  # how it makes things durable is decided here

    def exists(self) -> bool:
        return self._path.exists()

    def create(self) -> None:
        """Readable by its owner only, and so are the files that SQLite puts beside it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)


def _execute_patiently(connection: sqlite3.Connection, statement: str, lock_timeout: float) -> None:
    """Tries often: SQLite's own waiting is slow while another process writes much, and some statements never wait."""
    deadline = time.monotonic() + lock_timeout
    pause = 0.0002
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if _primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 1.5, 0.005)
        else:
            return


def _primary_code(error: sqlite3.Error) -> int:
    """Extended codes carry the reason in their lowest byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
