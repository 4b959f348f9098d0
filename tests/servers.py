"""The servers of databases that tests may stop, kill and hold up, by the kind of database."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from job_orchestra.storage.mongo import parse_mongo_url
from job_orchestra.storage.mongo.clients import Clients
from job_orchestra.storage.mongo.storage import MongoStorage
from job_orchestra.storage.port import Storage
from job_orchestra.storage.sql.databases import Database
from job_orchestra.storage.sql.mysql import MysqlDatabase
from job_orchestra.storage.sql.postgresql import PostgresqlDatabase
from job_orchestra.storage.sql.storage import SqlStorage
from job_orchestra.storage.sql.urls import parse_database_url
from tests.mariadb_server import MariadbServer
from tests.mongodb_server import MongodbServer
from tests.postgresql_server import PostgresqlServer
from tests.services import FINDERS, needed

SqlServer = PostgresqlServer | MariadbServer
Server = SqlServer | MongodbServer

SQL_SERVERS: Mapping[str, type[SqlServer]] = {"postgresql": PostgresqlServer, "mariadb": MariadbServer}
SERVERS: Mapping[str, type[Server]] = {**SQL_SERVERS, "mongodb": MongodbServer}


@contextmanager
def new_server(kind: str) -> Generator[Server]:
    """Not yet started; for a test, which is skipped where there is none."""
    server = SERVERS[kind](needed(SERVERS[kind].name))
    try:
        yield server
    finally:
        server.remove()


@contextmanager
def running_server(kind: str) -> Generator[Server]:
    """For programs; SystemExit where there is none."""
    name = SERVERS[kind].name
    programs = FINDERS[name]()
    if programs is None:
        raise SystemExit(f"{name} was not found; `make test-services` installs what can be installed.")
    server = SERVERS[kind](programs)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def impatient_database(url: str, answer_timeout: float) -> Database:
    """Of a server, with a limit for each exchange with it, and two seconds to connect."""
    parsed = parse_database_url(f"{url}?connect_timeout=2")
    kinds: Mapping[str, Callable[[], Database]] = {
        "postgresql": lambda: PostgresqlDatabase(parsed, answer_timeout),
        "mysql": lambda: MysqlDatabase(parsed, answer_timeout),
    }
    return kinds[parsed.kind]()


def impatient_storage(url: str, answer_timeout: float, patience: float) -> Storage:
    """Likewise; `patience` is that of whoever calls it."""
    if url.startswith("mongodb://"):
        return MongoStorage(Clients(parse_mongo_url(url), answer_timeout), patience)
    return SqlStorage(impatient_database(url, answer_timeout), patience)
