"""One installation at work for each kind of database, used by many tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from job_orchestra.cli.host_stop import end_hosts
from tests.end_to_end.installation import Installation
from tests.postgresql_server import PostgresqlServer


@pytest.fixture(scope="session")
def running_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    yield from _running(Installation(tmp_path_factory.mktemp("sqlite") / "installation", "sqlite:///orchestra.db"))


@pytest.fixture(scope="session")
def running_on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgresql: PostgresqlServer
) -> Iterator[Installation]:
    directory = tmp_path_factory.mktemp("postgresql") / "installation"
    yield from _running(Installation(directory, postgresql.new_database_url()))


@pytest.fixture(params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest) -> Installation:
    """`orchestra up`, with two workers."""
    installation: Installation = request.getfixturevalue(f"running_on_{request.param}")
    return installation


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Installation]:
    """An installation of which nothing runs yet, and nothing afterwards."""
    installation = Installation(tmp_path / "installation", "sqlite:///orchestra.db")
    yield installation
    _end_hosts(installation)


def _running(installation: Installation) -> Iterator[Installation]:
    with installation.started("up", "--workers", "2") as up:
        up.wait_for("All is ready")
        yield installation
    _end_hosts(installation)


def _end_hosts(installation: Installation) -> None:
    for directory in installation.directory.glob("worker*"):
        end_hosts(directory)
