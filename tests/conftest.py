"""Databases for all tests: each test gets one of its own, with the schema in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from compileall import compile_dir
from pathlib import Path

import pytest

from job_orchestra.composition.databases import open_administration
from tests.mariadb_server import MariadbServer
from tests.mongodb_server import MongodbServer
from tests.postgresql_server import PostgresqlServer
from tests.quick_disk import use_memory
from tests.services import DATABASES, needed

use_memory()  # before anything asks where temporary files are

_SOURCES = Path(__file__).parent.parent / "src"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compiles the program once: where PYTHONDONTWRITEBYTECODE is set, each of the processes of tests would again."""
    if not hasattr(session.config, "workerinput"):
        compile_dir(_SOURCES, quiet=1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """One server for each process that executes tests; not to be stopped by a test."""
    server = PostgresqlServer(needed("PostgreSQL"))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgresqlServer) -> str:
    url = postgresql.new_database_url()
    open_administration(url).create()
    return url


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """Likewise."""
    server = MariadbServer(needed("MariaDB"))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def mariadb_template(mariadb: MariadbServer) -> str:
    url = mariadb.new_database_url()
    open_administration(url).create()
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "orchestra.db"
    open_administration(f"sqlite:///{path}").create()
    return path


@pytest.fixture(scope="session")
def mongodb() -> Iterator[MongodbServer]:
    """A replica set, likewise."""
    yield from _started(MongodbServer(needed("MongoDB")))


@pytest.fixture(scope="session")
def mongodb_node() -> Iterator[MongodbServer]:
    """A single node without a replica set, likewise."""
    yield from _started(MongodbServer(needed("MongoDB"), members=0))


@pytest.fixture(scope="session")
def empty_mongodb_urls() -> list[str]:
    """Databases with the schema that no test uses at the moment."""
    return []


@pytest.fixture(scope="session")
def empty_mongodb_node_urls() -> list[str]:
    """Likewise, on a single node."""
    return []


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A database of this test alone, with the schema in it."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'orchestra.db')}"


@pytest.fixture
def postgresql_url(postgresql: PostgresqlServer, postgresql_template: str) -> Iterator[str]:
    """Likewise; afterwards another test gets it, without rows."""
    url = postgresql.lend(postgresql_template)
    yield url
    postgresql.give_back(url)


@pytest.fixture
def mariadb_url(mariadb: MariadbServer, mariadb_template: str) -> Iterator[str]:
    """Likewise."""
    url = mariadb.lend(mariadb_template)
    yield url
    mariadb.give_back(url)


@pytest.fixture
def mongodb_url(mongodb: MongodbServer, empty_mongodb_urls: list[str]) -> Iterator[str]:
    """Likewise; to empty one costs a tenth of making one."""
    yield from _lent(mongodb, empty_mongodb_urls)


@pytest.fixture
def mongodb_node_url(mongodb_node: MongodbServer, empty_mongodb_node_urls: list[str]) -> Iterator[str]:
    """Likewise, on a single node."""
    yield from _lent(mongodb_node, empty_mongodb_node_urls)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """Likewise, once on each kind of database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def new_sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes URLs of databases that do not exist yet."""
    return lambda: f"sqlite:///{tmp_path_factory.mktemp('database')}/folder/orchestra.db"


@pytest.fixture(scope="session")
def new_postgresql_url(postgresql: PostgresqlServer) -> Callable[[], str]:
    """Likewise."""
    return postgresql.new_database_url


@pytest.fixture(scope="session")
def new_mariadb_url(mariadb: MariadbServer) -> Callable[[], str]:
    """Likewise."""
    return mariadb.new_database_url


@pytest.fixture(scope="session")
def new_mongodb_url(mongodb: MongodbServer) -> Callable[[], str]:
    """Likewise."""
    return mongodb.new_database_url


@pytest.fixture(scope="session")
def new_mongodb_node_url(mongodb_node: MongodbServer) -> Callable[[], str]:
    """Likewise."""
    return mongodb_node.new_database_url


@pytest.fixture(params=DATABASES)
def new_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Likewise, once on each kind of database."""
    made: Callable[[], str] = request.getfixturevalue(f"new_{request.param}_url")
    return made


def _started(server: MongodbServer) -> Iterator[MongodbServer]:
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _lent(server: MongodbServer, empty: list[str]) -> Iterator[str]:
    if empty:
        url = empty.pop()
    else:
        url = server.new_database_url()
        open_administration(url).create()
    yield url
    server.empty(url)
    empty.append(url)
