"""A MariaDB server of the tests' own, its data directory made in about a second."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pymysql
from pymysql.connections import Connection

from job_orchestra.storage.schema import COLLECTIONS
from tests.server_process import ServerProcess
from tests.services import mariadb_environment

_SETTINGS = {
    "bind-address": "127.0.0.1",
    "skip-name-resolve": "ON",
    "max-connections": "200",
    "innodb-buffer-pool-size": "32M",
    "innodb-log-file-size": "16M",
    "innodb-buffer-pool-dump-at-shutdown": "OFF",
    "performance-schema": "OFF",
    "log-warnings": "0",
}
_SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
_USER = """
FLUSH PRIVILEGES;
CREATE USER orchestra@'127.0.0.1';
GRANT ALL ON *.* TO orchestra@'127.0.0.1' WITH GRANT OPTION;
"""


class MariadbServer(ServerProcess):
    """`root` is the folder with `usr` in it, be it that of the system or of packages that were only unpacked."""

    name = "MariaDB"
    refusals = (pymysql.OperationalError,)

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = self.reachable(root)
        self._free: list[str] = []
        data = self.directory / "data"
        (data / "mysql").mkdir(parents=True)
        self.give(data)
        self.give(data / "mysql")
        scripts = [(self._share / name).read_text() for name in _SYSTEM_TABLES]
        tables = "\n".join(["USE mysql;", *scripts, _USER])
        self.execute(*self.command(), "--bootstrap", "--innodb-flush-log-at-trx-commit=0", given=tables.encode())

    def url(self, database: str = "mysql") -> str:
        return f"mysql://orchestra@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str | None = None) -> Connection:
        """As the one who may do everything; each statement is committed by itself."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="orchestra",
            database=database,
            autocommit=True,
            connect_timeout=5,
            ssl_disabled=True,
        )

    def lend(self, template_url: str) -> str:
        """The URL of a database with the schema of another one and no rows; one that was given back, if there is one.

        To empty tables takes a few milliseconds, to create them a second.
        """
        if self._free:
            url = self._free.pop()
            with self.connect(_name(url)) as connection, connection.cursor() as cursor:
                for collection in COLLECTIONS:
                    cursor.execute(f"DELETE FROM `{collection.name}`")
            return url
        url = self.new_database_url()
        name, template = _name(url), _name(template_url)
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}`")
            cursor.execute(f"SHOW TABLES IN `{template}`")
            for (table,) in cursor.fetchall():
                cursor.execute(f"CREATE TABLE `{name}`.`{table}` LIKE `{template}`.`{table}`")
            cursor.execute(f"INSERT INTO `{name}`.alembic_version SELECT * FROM `{template}`.alembic_version")
        return url

    def give_back(self, url: str) -> None:
        self._free.append(url)

    @contextmanager
    def locked_table(self, url: str, table: str) -> Generator[None]:
        """Nobody else gets to it."""
        with self.connect(_name(url)) as blocker, blocker.cursor() as cursor:
            cursor.execute(f"LOCK TABLES `{table}` WRITE")
            yield

    def cut_those_who_wait(self, url: str) -> None:
        """The connections that wait for a lock."""
        with self.connect(_name(url)) as administrator, administrator.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'")
            for (waiting,) in cursor.fetchall():
                with suppress(pymysql.OperationalError):  # it has gone already
                    cursor.execute(f"KILL CONNECTION {waiting}")

    def command(self) -> Sequence[str | Path]:
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        place = [
            f"--datadir={self.directory / 'data'}",
            f"--lc-messages-dir={self._share}",
            f"--character-sets-dir={self._share / 'charsets'}",
            f"--socket={self.directory / 'socket'}",
            f"--pid-file={self.directory / 'pid'}",
            f"--tmpdir={self.directory}",  # a server that starts removes the temporary tables of all who share one
            f"--port={self.port}",
        ]
        return [self._root / "usr" / "sbin" / "mariadbd", "--no-defaults", *place, *settings]

    def try_connecting(self) -> None:
        self.connect().close()

    @property
    def environment(self) -> Mapping[str, str]:
        return mariadb_environment(self._root)

    @property
    def _share(self) -> Path:
        folders = (self._root / "usr" / "share" / name for name in ("mysql", "mariadb"))
        return next(folder for folder in folders if (folder / _SYSTEM_TABLES[0]).exists())

    def copy_programs(self, programs: Path) -> Path:
        return Path(shutil.copytree(programs, self.directory / "programs"))


def _name(url: str) -> str:
    return url.rpartition("/")[2]
