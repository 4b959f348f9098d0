"""`orchestra up` with a database that is down at its start: it waits, says so, goes on, and stops when told to."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_orchestra.cli.host_stop import end_hosts
from tests.end_to_end.installation import Installation
from tests.servers import SERVERS, Server, new_server


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Not yet started; PostgreSQL where a test does not ask for all."""
    with new_server(getattr(request, "param", "postgresql")) as server:
        yield server


@pytest.fixture
def installation(tmp_path: Path, server: Server) -> Iterator[Installation]:
    installation = Installation(tmp_path / "installation", server.new_database_url())
    yield installation
    end_hosts(installation.directory / "worker")


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_up_waits_for_the_database_at_every_start(installation: Installation, server: Server) -> None:
    with installation.started("up") as up:
        up.wait_for("Waiting for the database: ")
        server.start()
        up.wait_for("The database can be used.")
        up.wait_for("The database is created.")
        up.wait_for("All is ready")
        assert "password" in up.output
        assert installation.orchestra("trigger", "example", "hello", "--follow").returncode == 0
    server.stop()
    with installation.started("up") as up:
        up.wait_for("Waiting for the database: ")
        server.start()
        up.wait_for("All is ready")
        assert installation.orchestra("trigger", "example", "hello", "--follow").returncode == 0
    assert "password" not in up.output
    assert "Traceback" not in up.output


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_up_stops_while_it_waits(sign: signal.Signals, installation: Installation) -> None:
    with installation.started("up", sign=sign) as up:
        up.wait_for("Waiting for the database: ")
    assert up.process.returncode == 0
    assert up.output.splitlines()[-1] == "Stopping."
    assert "Traceback" not in up.output


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_up_stops_while_a_database_that_hangs_is_asked(installation: Installation, server: Server) -> None:
    server.start()
    server.pause()
    with installation.started("up") as up:
        # Connections are taken and nobody answers, so that each attempt lasts for seconds.
        up.wait_for("Waiting for the database: ")
    assert up.process.returncode == 0
    assert up.output.splitlines()[-1] == "Stopping."
