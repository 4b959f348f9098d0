"""PostgreSQL by psycopg."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

import psycopg
from psycopg import errors, sql
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo, timeout_from_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader
from sqlalchemy import URL, Dialect, func
from sqlalchemy import Connection as SqlAlchemyConnection
from sqlalchemy import select as select_rows
from sqlalchemy.engine.default import DefaultDialect

from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.storage.port import DatabaseDescription, StorageUnavailable
from job_orchestra.storage.sql.databases import NO_SCHEMA, Connection
from job_orchestra.storage.sql.statements import Prepared, PreparedRows, SqlRow
from job_orchestra.storage.sql.urls import DatabaseUrl

# Every query goes along an index. The planner shall not prefer to read a whole table because it was small, or never
# measured, when the plan was made. Nor shall it walk through runs in the order of their keys, past all that are not
# asked for, because their pages lie side by side: pages cost nothing here, so that the index with the fewest rows wins.
_SESSION = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "seq_page_cost": "0",
    "random_page_cost": "0",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read\\ committed",
    "lock_timeout": "5s",
}

_LOCK = 0x6A6F6273  # advisory locks are numbers; this one is ours

ANSWER_TIMEOUT = 8.0
"""Seconds for one exchange with the server. One that hangs keeps its connections, so nothing else ends the wait."""

_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "job-orchestra",
}

_UNAVAILABLE: tuple[tuple[type[errors.Error], str], ...] = (
    (errors.UndefinedTable, NO_SCHEMA),
    (errors.UndefinedColumn, NO_SCHEMA),
    (errors.InvalidSchemaName, "has no schema that its search_path names"),
    (errors.DiskFull, "cannot grow: its disk is full"),
    (errors.ReadOnlySqlTransaction, "is read-only"),
    (errors.InvalidPassword, "refuses the user or the password"),
    (errors.InvalidAuthorizationSpecification, "refuses the user or the password"),
    (errors.InsufficientPrivilege, "does not allow this user what is needed"),
    (errors.TooManyConnections, "has no connection to spare"),
    (errors.LockNotAvailable, "is locked by another process"),
)

RV = TypeVar("RV")


class _BoundedConnection(psycopg.Connection[SqlRow]):
    """Waits for the server so long and no longer; then the connection is given up."""

    answer_timeout = ANSWER_TIMEOUT

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """OperationalError where the server does not answer."""
        limit = self.answer_timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError:
            if time.monotonic() < deadline:
                raise
            self.pgconn.finish()  # what was sent may still be answered, and would be taken for the answer to the next
            raise psycopg.OperationalError(f"it has not answered for {limit:g} seconds") from None


class PostgresqlConnection:
    def __init__(self, connection: psycopg.Connection[SqlRow]) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._is_to_begin = False

    def begin(self) -> None:
        self._is_to_begin = True  # said together with the first statement

    def change(self, statement: Prepared) -> int:
        try:
            if self._is_to_begin:
                return self.change_all([statement], commit=False)[0]
            return self._cursor.execute(statement.text.encode(), statement.arguments).rowcount
        except errors.UniqueViolation:
            return 0

    def change_all(self, statements: Sequence[Prepared], *, commit: bool) -> list[int]:
        """In one go to the server, together with the beginning and the end."""
        with self._connection.pipeline():
            if self._is_to_begin:
                self._cursor.execute(b"BEGIN")
                self._is_to_begin = False
            cursors = [
                self._connection.cursor().execute(statement.text.encode(), statement.arguments)
                for statement in statements
            ]
            if commit:
                self._cursor.execute(b"COMMIT")
        return [cursor.rowcount for cursor in cursors]

    def commit(self) -> None:
        self._cursor.execute(b"COMMIT")

    def rollback(self) -> None:
        self._is_to_begin = False
        if self._connection.info.transaction_status is not TransactionStatus.IDLE:
            self._cursor.execute(b"ROLLBACK")

    def fetch(self, statements: Sequence[Prepared]) -> list[Sequence[SqlRow]]:
        if len(statements) == 1:
            return [self._cursor.execute(statements[0].text.encode(), statements[0].arguments).fetchall()]
        with self._connection.pipeline():
            self._cursor.execute(b"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursors = [
                self._connection.cursor().execute(statement.text.encode(), statement.arguments)
                for statement in statements
            ]
            self._cursor.execute(b"COMMIT")
        return [cursor.fetchall() for cursor in cursors]

    @property
    def is_usable(self) -> bool:
        if self._connection.broken or self._connection.closed:
            return False
        # Nobody speaks on an idle connection, unless to say that it ends.
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()


def _dialect_class() -> type[DefaultDialect]:
    return cast("type[DefaultDialect]", URL.create("postgresql+psycopg").get_dialect())


class PostgresqlDatabase:
    readers = 4

    def __init__(self, url: DatabaseUrl, answer_timeout: float = ANSWER_TIMEOUT) -> None:
        """Invalid at `database.url` for options that the driver does not take."""
        _check_options(url)
        self._url = url
        self._answer_timeout = answer_timeout
        self.name = f"The database {url}"
        self.dialect: Dialect = _dialect_class()(paramstyle="format")

    def connect(self, *, is_writer: bool) -> Connection:
        connection = _BoundedConnection.connect(**self._arguments(), autocommit=True)
        connection.answer_timeout = self._answer_timeout
        connection.adapters.register_loader("json", TextLoader)
        return PostgresqlConnection(connection)

    def connect_driver(self, *, is_writer: bool) -> psycopg.Connection[SqlRow]:
        return psycopg.connect(**self._arguments())

    def _arguments(self, database: str | None = None) -> dict[str, Any]:
        """For psycopg; what the user wrote in the URL goes before our own."""
        url = self._url
        session = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
        written = dict(url.options)
        options = f"{session} {written.pop('options', '')}".strip()
        place = {"user": url.user, "password": url.password, "host": url.host, "port": url.port}
        return {
            **_CONNECTION,
            **{name: value for name, value in place.items() if value is not None},
            "dbname": database or url.database,
            "options": options,
            **written,
        }

    def is_usable(self, connection: Connection) -> bool:
        return isinstance(connection, PostgresqlConnection) and connection.is_usable

    def is_conflict(self, error: Exception) -> bool:
        return isinstance(error, errors.DeadlockDetected | errors.SerializationFailure)

    def translate(self, error: Exception) -> StorageUnavailable | None:
        for kind, message in _UNAVAILABLE:
            if isinstance(error, kind):
                return StorageUnavailable(f"{self.name} {message}.")
        if isinstance(error, psycopg.Error) and _is_missing(error):
            return StorageUnavailable(f"{self.name} does not exist; `orchestra database create` creates it.")
        if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return None
        return StorageUnavailable(f"{self.name} cannot be used: {_first_line(error)}.")

    def sqlalchemy_url(self) -> URL:
        return URL.create("postgresql+psycopg")

    def begin_snapshot(self, connection: psycopg.Connection[SqlRow]) -> None:
        connection.adapters.register_loader("json", TextLoader)
        # Of the transaction that the driver begins with this statement.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    @contextmanager
    def alone(self, connection: SqlAlchemyConnection) -> Generator[None]:
        connection.execute(select_rows(func.pg_advisory_xact_lock(_LOCK)))
        yield

    def insert_all(self, connection: psycopg.Connection[SqlRow], prepared: PreparedRows) -> bool:
        """By COPY: a statement for each row takes more than twice as long."""
        columns = sql.SQL(", ").join(map(sql.Identifier, prepared.columns))
        command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(prepared.collection), columns)
        try:
            with connection.cursor() as cursor, cursor.copy(command) as copy:
                for row in prepared.rows:
                    copy.write_row(row)
        except errors.UniqueViolation:
            return False
        return True

    def describe(self) -> DatabaseDescription:
        asked = "SELECT current_setting('server_version'), pg_database_size(current_database())"
        with psycopg.connect(**self._arguments(), autocommit=True) as connection:
            version, size = connection.execute(asked).fetchone() or ("", None)
        return DatabaseDescription(f"PostgreSQL {version}", size)

    def warnings(self) -> Sequence[str]:
        with psycopg.connect(**self._arguments(), autocommit=True) as connection:
            shown = connection.execute("SHOW fsync").fetchone()
        if shown == ("on",):
            return ()
        return ("fsync is off: what was stored last may be lost, or all of it, when the server's host fails.",)

    def exists(self) -> bool:
        try:
            with psycopg.connect(**self._arguments()) as connection:
                encoding = connection.info.parameter_status("server_encoding")
        except psycopg.OperationalError as error:
            if _is_missing(error):
                return False
            raise
        if encoding != "UTF8":
            raise Conflict(f"{self.name} keeps text as {encoding}; it has to be UTF8.")
        return True

    def create(self) -> None:
        name = sql.Identifier(self._url.database)
        command = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'").format(name)
        with (
            psycopg.connect(**self._arguments("postgres"), autocommit=True) as connection,
            suppress(errors.DuplicateDatabase, errors.UniqueViolation),  # as it is said to who comes a little later
        ):
            connection.execute(command)


def _check_options(url: DatabaseUrl) -> None:
    """What libpq thinks of their values is told when it connects."""
    for name, value in url.options:
        try:
            timeout_from_conninfo(conninfo_to_dict(make_conninfo(**{name: value})))
        except psycopg.ProgrammingError:
            message = f"has the option {name!r}, which the driver of PostgreSQL does not know, or not with this value"
            raise Invalid.at("database.url", message) from None


def _is_missing(error: psycopg.Error) -> bool:
    """Whether there is no such database. Before a connection stands, there may be no code to tell, but words."""
    return isinstance(error, errors.InvalidCatalogName) or bool(re.search(r'database ".*" does not exist', str(error)))


def _first_line(error: Exception) -> str:
    """Libpq's messages never carry the password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
