"""A thread's own connection to the database: made when needed, and made anew when it was lost."""

from __future__ import annotations

from job_orchestra.storage.port import StorageUnavailable
from job_orchestra.storage.sql import versions
from job_orchestra.storage.sql.databases import Connection, Database
from job_orchestra.storage.sql.statements import Prepared

_QUERY_VERSION = Prepared(versions.QUERY, ())


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
            connection = self._database.connect(is_writer=self._is_writer)
            try:
                self._check_complete(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _check_complete(self, connection: Connection) -> None:
        """What is being imported is nobody's to work on before all of it is there."""
        if self._is_writer:
            connection.begin()  # which on SQLite waits for its turn, where reading by a writer would not
        [found] = connection.fetch([_QUERY_VERSION])
        connection.rollback()
        if any(versions.StoredVersion.of(str(text)).load is not None for (text,) in found):
            raise StorageUnavailable(
                f"{self._database.name} is not complete: an import is under way, or did not come to its end; "
                "`orchestra database import` starts it over."
            )

    def failed(self, error: Exception) -> Exception:
        """Leaves no transaction open, and says what callers are told: StorageUnavailable, or the error itself."""
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
