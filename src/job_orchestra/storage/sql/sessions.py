"""A thread's own connection to the database: made when needed, and made anew when it was lost."""

from __future__ import annotations

from job_orchestra.storage.port import SchemaState, StorageUnavailable
from job_orchestra.storage.schema_check import advice
from job_orchestra.storage.sql.databases import Connection, Database
from job_orchestra.storage.sql.migrations import MIGRATIONS
from job_orchestra.storage.sql.statements import Prepared
from job_orchestra.storage.sql.versions import QUERY, stored_from_text

_VERSION = Prepared(QUERY, ())


class Session:
    """For one thread."""

    def __init__(self, database: Database, *, is_writer: bool) -> None:
        self._database = database
        self._is_writer = is_writer
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """May raise what `failed` is to be told."""
        if self._connection is not None and not self._database.is_usable(self._connection):
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        connection = self._database.connect(is_writer=self._is_writer)
        try:
            self._check_schema(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_schema(self, connection: Connection) -> None:
        """With each connection, for a database may be upgraded, replaced or filled while programs wait for it."""
        if self._is_writer:
            connection.begin()  # which on SQLite waits for its turn, where reading by a writer would not
        [found] = connection.fetch([_VERSION])
        connection.rollback()
        stored = stored_from_text(str(found[0][0])) if found else None
        if (state := MIGRATIONS.state_of(stored)) is not SchemaState.CURRENT:
            version = stored.version if stored else None
            raise StorageUnavailable(f"{self._database.name} {advice(state, version, MIGRATIONS.newest)}.")

    def failed(self, error: Exception) -> Exception:
        """Leaves no transaction open, and says what callers are told: StorageUnavailable, or the error itself."""
        if isinstance(error, StorageUnavailable):
            return StorageUnavailable(error.message)
        told = self._database.translate(error)
        if told is not None:
            self.close()
            return told
        if self._connection is not None:
            try:
                self._connection.rollback()
            except Exception:  # whichever it is: this connection is of no more use
                self.close()
        return error

    def is_conflict(self, error: Exception) -> bool:
        return self._database.is_conflict(error)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
