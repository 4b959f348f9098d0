"""A whole installation while its database hangs, restarts or cannot grow: all say so, and it costs time only."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import pytest

from job_orchestra.cli.host_stop import end_hosts
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret
from job_orchestra.website.cookie_keys import read_cookie_keys
from tests.end_to_end.installation import PATIENCE, Installation
from tests.full_disk import filled, small_disk
from tests.servers import SERVERS, Server, new_server


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with new_server(request.param) as server:
        server.start()
        yield server


class Visitor:
    """Asks the applications of an installation as a browser, a script and a monitor do."""

    def __init__(self, installation: Installation) -> None:
        settings = tomllib.loads((installation.directory / "orchestra.toml").read_text())
        self._master = f"http://127.0.0.1:{settings['master']['port']}"
        self._installation = installation
        session = read_cookie_keys(installation.directory / "website.keys").encrypt("0" * 64)
        self._cookie = {"Cookie": f"orchestra_{settings['website']['port']}_session={session}"}

    def trigger(self, job: str, parameters: Mapping[str, str]) -> httpx2.Response:
        credentials = read_secret(InstallationSecrets.of(self._installation.directory).command_line)
        assert credentials is not None
        return httpx2.post(
            f"{self._installation.service_url}/projects/example/jobs/{job}/trigger",
            json={"parameters": parameters},
            headers={"Authorization": credentials.authorization},
            trust_env=False,
            timeout=PATIENCE,
        )

    def page(self) -> httpx2.Response:
        return httpx2.get(self._installation.website_url, headers=self._cookie, trust_env=False, timeout=PATIENCE)

    def wait_until_master_says(self, status: int) -> str:
        """That it is ready, or what it waits for."""
        deadline = time.monotonic() + PATIENCE
        while (answer := httpx2.get(f"{self._master}/ready", trust_env=False)).status_code != status:
            assert time.monotonic() < deadline, answer.text
        return answer.text


@pytest.mark.parametrize(("begin", "end"), [("pause", "resume"), ("stop", "start")])
def test_a_database_that_hangs_or_restarts_costs_time_only(
    server: Server, tmp_path: Path, begin: str, end: str
) -> None:
    installation = Installation(tmp_path / "installation", server.new_database_url())
    gate = tmp_path / "gate"
    with installation.started("up") as up:
        up.wait_for("All is ready")
        visitor = Visitor(installation)
        run = visitor.trigger("wait", {"file": str(gate)}).json()["identifier"]
        with installation.started("run", "log", "example", run, "--follow") as log:
            log.wait_for("\nwaiting\n")
            getattr(server, begin)()
            try:
                assert "database" in visitor.wait_until_master_says(503)
                assert visitor.trigger("hello", {}).status_code == 503
                page = visitor.page()
                assert page.status_code == 503
                assert "The database" in page.text
                gate.touch()
            finally:
                getattr(server, end)()
            log.wait_for("\ngoes on\n")
            log.wait_for("Run succeeded")
        visitor.wait_until_master_says(200)
        shown = installation.json("run", "show", "example", run)
        assert (shown["status"], shown["attempt"]) == ("succeeded", 1)
        assert installation.orchestra("trigger", "example", "hello", "--follow").returncode == 0
    assert "Traceback" not in up.output
    end_hosts(installation.directory / "worker")


def test_a_full_disk_of_the_master_costs_time_only(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation", "sqlite:///orchestra.db")
    gate = tmp_path / "gate"
    with small_disk(tmp_path / "disk", 4 << 20) as disk:
        environment = {
            "ORCHESTRA_DATABASE_URL": f"sqlite:///{disk}/orchestra.db",
            "ORCHESTRA_STORAGE_DIRECTORY": str(disk / "logs"),
        }
        with installation.started("up", environment=environment) as up:
            up.wait_for("All is ready")
            visitor = Visitor(installation)
            run = visitor.trigger("wait", {"file": str(gate)}).json()["identifier"]
            with installation.started("run", "log", "example", run, "--follow") as log:
                log.wait_for("\nwaiting\n")
                with filled(disk):
                    triggered: list[str] = []
                    while (answer := visitor.trigger("greet", {"name": "x" * 60_000})).status_code == 201:
                        triggered.append(answer.json()["identifier"])
                    assert answer.status_code == 503, answer.text
                    assert "disk is full" in answer.json()["detail"]
                    gate.touch()
                    reason = visitor.wait_until_master_says(503)
                    assert "disk is full" in reason or "No space left on device" in reason
                log.wait_for("\ngoes on\n")
                log.wait_for("Run succeeded")
            visitor.wait_until_master_says(200)
            for one in (run, *triggered):
                installation.orchestra("run", "log", "example", one, "--follow")
                assert installation.json("run", "show", "example", one)["status"] == "succeeded"
            assert visitor.trigger("hello", {}).status_code == 201
        assert "Traceback" not in up.output
        end_hosts(installation.directory / "worker")
