"""One installation at work for each kind of database, used by many tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from job_orchestra.cli.host_stop import end_hosts
from tests.end_to_end.installation import Installation
from tests.services import DATABASES


@pytest.fixture(scope="session")
def running_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    yield from _running(tmp_path_factory.mktemp("sqlite"), "sqlite:///orchestra.db")


@pytest.fixture(scope="session", params=DATABASES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """`orchestra up`, with two workers; one kind of database after the other."""
    if request.param == "sqlite":
        yield request.getfixturevalue("running_on_sqlite")
        return
    new_url: Callable[[], str] = request.getfixturevalue(f"new_{request.param}_url")
    yield from _running(tmp_path_factory.mktemp(request.param), new_url())


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Installation]:
    """An installation of which nothing runs yet, and nothing afterwards."""
    installation = Installation(tmp_path / "installation", "sqlite:///orchestra.db")
    yield installation
    _end_hosts(installation)


def _running(directory: Path, database_url: str) -> Iterator[Installation]:
    installation = Installation(directory / "installation", database_url)
    with installation.started("up", "--workers", "2") as up:
        up.wait_for("All is ready")
        yield installation
    _end_hosts(installation)


def _end_hosts(installation: Installation) -> None:
    for directory in installation.directory.glob("worker*"):
        end_hosts(directory)
