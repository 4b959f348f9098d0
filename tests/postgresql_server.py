"""A PostgreSQL server of the tests' own: started in less than a second."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from job_orchestra.storage.schema import COLLECTIONS
from tests.server_process import ServerProcess

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "autovacuum_naptime": "10s",
    "deadlock_timeout": "50ms",
    "log_min_messages": "fatal",
    "dynamic_shared_memory_type": "mmap",  # in its directory, so that nothing stays behind when it is killed
}


class PostgresqlServer(ServerProcess):
    """`programs` is the folder with `postgres` and `initdb`."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT
    refusals = (psycopg.OperationalError,)

    def __init__(self, programs: Path) -> None:
        super().__init__()
        self._programs = self.reachable(programs)
        self._free: list[str] = []
        access = ("--auth=trust", "--username=orchestra")
        data = ("-D", self.directory / "data", "--encoding=UTF8", "--locale=C", "--no-sync")
        self.execute(self._programs / "initdb", *data, *access)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://orchestra@127.0.0.1:{self.port}/{database}"

    def lend(self, template_url: str) -> str:
        """The URL of a database with the schema of another one and no rows; one that was given back, if there is one.

        To empty tables takes a few milliseconds, to copy a database a hundred, and eight megabytes.
        """
        if self._free:
            url = self._free.pop()
            with psycopg.connect(url, autocommit=True) as connection:
                _empty(connection)
            return url
        url = self.new_database_url()
        name, template = (sql.Identifier(each.rpartition("/")[2]) for each in (url, template_url))
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
        return url

    def give_back(self, url: str) -> None:
        self._free.append(url)

    @contextmanager
    def locked_table(self, url: str, table: str) -> Generator[None]:
        """Nobody else gets to it."""
        with psycopg.connect(url) as blocker:
            blocker.execute(sql.SQL("LOCK TABLE {}").format(sql.Identifier(table)))
            yield
            blocker.rollback()

    def cut_those_who_wait(self, url: str) -> None:
        """The connections that wait for a lock."""
        with psycopg.connect(url, autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            )

    def command(self) -> Sequence[str | Path]:
        settings = [argument for name, value in _SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        place = ("-D", self.directory / "data", "-k", self.directory, "-p", str(self.port))
        return [self._programs / "postgres", *place, *settings]

    def try_connecting(self) -> None:
        psycopg.connect(self.url(), connect_timeout=5).close()

    def copy_programs(self, programs: Path) -> Path:
        """Of the server that `scripts/test_services.py` unpacked, the libraries are three folders up."""
        for libraries in programs.parent.parent.parent.glob("*.libs"):
            shutil.copytree(libraries, self.directory / libraries.name)
        return Path(shutil.copytree(programs.parent, self.directory / "programs" / "copy")) / "bin"


def _empty(connection: psycopg.Connection) -> None:
    """Without dead rows, which the next one's plans would have to pass."""
    names = [collection.name for collection in COLLECTIONS]
    looks = [sql.SQL("EXISTS (SELECT FROM {})").format(sql.Identifier(name)) for name in names]
    found = connection.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(looks))).fetchone()
    filled = [sql.Identifier(name) for name, has_rows in zip(names, found or (), strict=True) if has_rows]
    if filled:
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(filled)))
