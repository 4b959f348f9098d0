"""MariaDB and MySQL by PyMySQL."""

from __future__ import annotations

import select
import ssl
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any

import pymysql
from pymysql.connections import Connection as DriverConnection
from pymysql.constants import CLIENT, CR, ER
from sqlalchemy import URL, Dialect, text
from sqlalchemy import Connection as SqlAlchemyConnection
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

from job_orchestra.storage.port import DatabaseDescription, StorageUnavailable
from job_orchestra.storage.sql.databases import Connection
from job_orchestra.storage.sql.mysql_errors import error_code, has_timed_out, is_taken, why_unavailable
from job_orchestra.storage.sql.statements import Prepared, PreparedRows, SqlRow
from job_orchestra.storage.sql.urls import DatabaseUrl

ANSWER_TIMEOUT = 8.0
"""Seconds for one exchange with the server. One that hangs keeps its connections, so nothing else ends the wait."""

_CONNECT_TIMEOUT = 5
_LOCK_TIMEOUT = 5
_PASSING_ON = 3600
_SESSION = {
    # Whatever the server's are: what does not fit is an error, never shortened, and a table is of InnoDB or not at all.
    "sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
    "innodb_lock_wait_timeout": _LOCK_TIMEOUT,
    "lock_wait_timeout": _LOCK_TIMEOUT,
}
_IS_FLAG = ("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")


class _Connection(DriverConnection):
    @property
    def is_silent(self) -> bool:
        """Nobody speaks on an idle connection, unless to say that it ends."""
        if not self.open:
            return False
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)  # type: ignore[attr-defined]
        return not poll.poll(0)

    def _create_ssl_ctx(self, options: dict[str, Any]) -> ssl.SSLContext:
        """Of the driver's: without options it encrypts where the server can, and verifies nothing.

        That needs no list of authorities; to load one takes longer than all else that connecting does.
        """
        if options:
            try:
                return super()._create_ssl_ctx(options)  # type: ignore[misc, no-any-return]
            except OSError as error:
                files = ", ".join(str(options[name]) for name in ("ca", "cert", "key") if options.get(name))
                words = f"{files}: {error.strerror or error}"
                raise pymysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, words) from error
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def wait_at_most(self, seconds: float | None) -> None:
        """For an answer, from here on."""
        self._read_timeout = seconds


class MysqlConnection:
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._is_begun = False

    def begin(self) -> None:
        self._execute("BEGIN")
        self._is_begun = True

    def change(self, statement: Prepared) -> int:
        try:
            return self._cursor.execute(statement.text, statement.arguments)
        except pymysql.IntegrityError as error:
            # Of all that may be wrong with a row, only its key's being taken is an answer; the statement is undone by
            # itself, and what came before it in the transaction stands.
            if is_taken(error):
                return 0
            raise

    def change_all(self, statements: Sequence[Prepared], *, commit: bool) -> list[int]:
        changed = [self.change(statement) for statement in statements]
        if commit:
            self.commit()
        return changed

    def commit(self) -> None:
        self._execute("COMMIT")
        self._is_begun = False

    def rollback(self) -> None:
        if self._is_begun:
            self._execute("ROLLBACK")
            self._is_begun = False

    def fetch(self, statements: Sequence[Prepared]) -> list[Sequence[SqlRow]]:
        if len(statements) == 1:
            return [self._fetch(statements[0])]
        self._execute("START TRANSACTION READ ONLY")
        self._is_begun = True
        fetched = [self._fetch(statement) for statement in statements]
        self.commit()
        return fetched

    def _fetch(self, statement: Prepared) -> Sequence[SqlRow]:
        self._cursor.execute(statement.text, statement.arguments)
        return self._cursor.fetchall()

    def _execute(self, statement: str) -> None:
        self._cursor.execute(statement)

    @property
    def is_usable(self) -> bool:
        return self._connection.is_silent

    def close(self) -> None:
        with suppress(pymysql.Error):
            self._connection.close()


class MysqlDatabase:
    readers = 4

    def __init__(self, url: DatabaseUrl, answer_timeout: float = ANSWER_TIMEOUT) -> None:
        self._url = url
        self._answer_timeout = answer_timeout
        self.name = f"The database {url}"
        self.dialect: Dialect = mysql.dialect(paramstyle="format")

    def connect(self, *, is_writer: bool) -> Connection:
        # Several queries of a reader see one snapshot; those who write see what is there now.
        isolation = "READ COMMITTED" if is_writer else "REPEATABLE READ"
        return MysqlConnection(self._connect(isolation=isolation, autocommit=True))

    def connect_driver(self, *, is_writer: bool) -> DriverConnection:
        connection = self._connect()
        if is_writer:
            connection.wait_at_most(None)  # a change of the schema takes any time, with many rows
        return connection

    def _connect(
        self, isolation: str = "READ COMMITTED", autocommit: bool = False, with_database: bool = True
    ) -> _Connection:
        url, limit = self._url, self._answer_timeout
        place: dict[str, Any] = {"user": url.user, "host": url.host, "port": url.port}
        options = {"connect_timeout": _CONNECT_TIMEOUT, **_typed(url.options)}
        # The driver's own ends with the connection of the socket, behind which a server may be silent.
        greeting_limit = min(limit, options["connect_timeout"])
        connection = self._greeted(
            greeting_limit,
            **options,
            **{name: value for name, value in place.items() if value is not None},
            password=(url.password or "").encode(),
            database=url.database if with_database else None,
            charset="utf8mb4",
            # An update that finds its row as it should become has matched it all the same.
            client_flag=CLIENT.FOUND_ROWS,
            init_command=f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}",
            program_name="job-orchestra",
            autocommit=autocommit,
            write_timeout=limit,
        )
        connection.wait_at_most(limit)
        try:
            with connection.cursor() as cursor:
                settings = ", ".join(f"{name} = %s" for name in _SESSION)
                cursor.execute(f"SET SESSION {settings}", tuple(_SESSION.values()))
        except BaseException:
            connection.close()
            raise
        return connection

    def _greeted(self, limit: float, **how: Any) -> _Connection:
        """Each answer of the server to who connects has to come within the limit."""
        try:
            return _Connection(**how, read_timeout=limit)
        except pymysql.OperationalError as error:
            if has_timed_out(error):
                raise pymysql.OperationalError(f"it has not answered for {limit:g} seconds") from None
            raise

    def is_usable(self, connection: Connection) -> bool:
        return isinstance(connection, MysqlConnection) and connection.is_usable

    def is_conflict(self, error: Exception) -> bool:
        return error_code(error) == ER.LOCK_DEADLOCK

    def translate(self, error: Exception) -> StorageUnavailable | None:
        told = why_unavailable(error, self._answer_timeout)
        return StorageUnavailable(f"{self.name} {told}.") if told else None

    def sqlalchemy_url(self) -> URL:
        with self._connect(with_database=False) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            is_mariadb = "mariadb" in str(cursor.fetchall()[0][0]).lower()
        return URL.create("mariadb+pymysql" if is_mariadb else "mysql+pymysql")

    def exists(self) -> bool:
        try:
            self._connect().close()
        except pymysql.Error as error:
            if error_code(error) == ER.BAD_DB_ERROR:
                return False
            raise
        return True

    def create(self) -> None:
        name = self._url.database.replace("`", "``")
        with self._connect(with_database=False) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4")

    def describe(self) -> DatabaseDescription:
        with self._connect(autocommit=True) as connection, connection.cursor() as cursor:
            # As the server counted them last, which it does by itself.
            cursor.execute(
                "SELECT VERSION(), SUM(data_length + index_length) FROM information_schema.tables"
                " WHERE table_schema = DATABASE()"
            )
            version, size = cursor.fetchall()[0]
        product = "MariaDB" if "maria" in version.lower() else "MySQL"
        return DatabaseDescription(f"{product} {version.partition('-')[0]}", None if size is None else int(size))

    def warnings(self) -> Sequence[str]:
        with self._connect(autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog")
            flush, has_binary_log, sync = cursor.fetchall()[0]
        lost = "what was answered may be lost when the server or its host fails; set it to 1"
        warnings: list[str] = []
        if flush != 1:
            warnings.append(f"innodb_flush_log_at_trx_commit is {flush}: {lost}.")
        if has_binary_log and sync != 1:
            warnings.append(f"sync_binlog is {sync}: {lost}.")
        return warnings

    def begin_snapshot(self, connection: DriverConnection) -> None:
        with connection.cursor() as cursor:
            # Who reads rows may be slow in passing them on; the server shall not take that for an end.
            cursor.execute(f"SET SESSION net_write_timeout = {_PASSING_ON}")
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    @contextmanager
    def alone(self, connection: SqlAlchemyConnection) -> Generator[None]:
        """Each change of the schema is committed by itself, whatever is begun; this only keeps others away."""
        lock = f"orchestra {sha256(self._url.database.encode()).hexdigest()[:32]}"
        is_ours = connection.execute(text("SELECT GET_LOCK(:lock, :seconds)"), {"lock": lock, "seconds": _LOCK_TIMEOUT})
        if is_ours.scalar_one() != 1:
            raise StorageUnavailable(f"{self.name} is locked by another process.")
        try:
            yield
        finally:
            with suppress(DBAPIError):  # with a connection that is lost the lock is, too
                connection.execute(text("SELECT RELEASE_LOCK(:lock)"), {"lock": lock})

    def insert_all(self, connection: DriverConnection, prepared: PreparedRows) -> bool:
        """The driver puts as many rows into a statement as a megabyte holds."""
        try:
            with connection.cursor() as cursor:
                cursor.executemany(prepared.text, prepared.rows)
        except pymysql.IntegrityError as error:
            if is_taken(error):
                return False
            raise
        return True


def _typed(options: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """As the driver wants them; what they may be is known to `urls`."""
    typed: dict[str, Any] = dict(options)
    for name in typed:
        if name in _IS_FLAG:
            typed[name] = typed[name] == "true"
    if "connect_timeout" in typed:
        typed["connect_timeout"] = int(typed["connect_timeout"])
    return typed
