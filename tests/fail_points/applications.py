"""Master, service and worker of an installation, each a process of its own, that are killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from job_orchestra.cli.connection import find_access
from job_orchestra.client.credentials import Credentials
from job_orchestra.client.synchronous import Client
from job_orchestra.composition.installation_secrets import InstallationSecrets, write_secret
from job_orchestra.execution.host_directory import HOSTS, HostDirectory
from job_orchestra.fail_points import VARIABLE, FailPoint, is_of_host
from tests import prepared
from tests.end_to_end.installation import PATIENCE, Installation
from tests.prepared import Prepared
from tests.worker.standing_in import end_hosts, host_pids

NAMES = ("service", "master", "worker")
DATABASE = "orchestra.db"
_JOB = Path(__file__).with_name("job.sh")
_PROJECTS = f"""
from job_orchestra import Job, Parameter, Project

def phase(name):
    return [["sh", {str(_JOB)!r}, name, "{{parameters[tally]}}", "{{parameters[gate]}}", "{{result_file_path}}",
        "{{job}}"]]

PARAMETERS = [Parameter("tally"), Parameter("gate", default="")]
ALL_PHASES = dict(setup=phase("setup"), commands=phase("commands"), teardown=phase("teardown"),
    parameters=PARAMETERS, workspace="run")

projects = [
    Project("example", jobs=[
        Job("work", **ALL_PHASES),
        Job("again", **ALL_PHASES, on_lost="retry", lost_after=1),
        Job("unsteady", **ALL_PHASES, retries=1, retry_delay=0.3),
        Job("nowhere", commands=phase("commands"), parameters=PARAMETERS, properties={{"operating_system": "plan9"}}),
    ]),
]
"""

T = TypeVar("T")


def until(condition: Callable[[], T], what: str) -> T:
    """The first true value."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)
    return value


def make_template(directory: Path) -> Path:
    """What all installations begin as: a database with a user, whose token worker and client use."""
    installation = Installation(directory, f"sqlite:///{DATABASE}")
    assert installation.orchestra("database", "create").returncode == 0
    done = installation.orchestra("user", "create", "ada", "--role", "operator", "--role", "worker")
    assert done.returncode == 0, done.stderr
    secrets = InstallationSecrets.of(directory)
    credentials = Credentials(installation.json("token", "create", "ada")["secret"], "ada")
    write_secret(secrets.worker, credentials)
    write_secret(secrets.command_line, credentials)
    return directory


class Applications:
    def __init__(self, directory: Path, template: Path) -> None:
        self.installation = Installation(directory, f"sqlite:///{DATABASE}")
        (directory / "projects.py").write_text(_PROJECTS)
        shutil.copy(template / DATABASE, directory)
        shutil.copytree(template / ".orchestra", directory / ".orchestra")
        access = find_access(directory / "orchestra.toml", {"HOME": str(self.installation.home)})
        self.client = Client(access.url, access.credentials)
        self.logs = directory / "logs"
        self.worker_directory = directory / "worker"
        self._processes: dict[str, Prepared] = {}

    # ---------- starting and ending

    def start(self, name: str, fail_point: str = "") -> None:
        environment = self.installation.environment({VARIABLE: fail_point} if fail_point else {})
        with self._output(name).open("ab") as output:
            self._processes[name] = prepared.start(
                [name], cwd=self.installation.directory, env=environment, stdout=output, stderr=output
            )

    def wait_until_ready(self, name: str) -> None:
        """Or until it has died of a fail point; a worker is never ready without a master."""
        needed = (name, "master") if name == "worker" else (name,)
        until(lambda: f"{name}: ready" in self.said(name) or any(map(self._is_dead, needed)), f"{name} is ready")

    def restart(self, name: str) -> None:
        self.end(name)
        self.start(name)
        self.wait_until_ready(name)

    def end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.wait()
        self._output(name).rename(self._output(f"earlier-{name}"))

    def end_all(self) -> None:
        for name in list(self._processes):
            self.end(name)
        self.end_hosts()

    def _is_dead(self, name: str) -> bool:
        is_dead = self._processes[name].poll() is not None
        assert not is_dead or "Fail point " in self.said(name), self.said(name)
        return is_dead

    def said(self, name: str) -> str:
        return self._output(name).read_text(errors="replace")

    def _output(self, name: str) -> Path:
        return self.installation.directory / f"{name}.output"

    # ---------- executor hosts

    def kill_hosts(self) -> None:
        """They are children of the worker, which reaps them."""
        for pid in host_pids(self.worker_directory):
            os.kill(pid, signal.SIGKILL)

    def end_hosts(self) -> None:
        end_hosts(self.worker_directory)

    # ---------- fail points

    def has_reached(self, name: str, point: FailPoint) -> bool:
        """Whether the application, or its executor host, has died of the fail point; nothing else may kill it."""
        words = f"Fail point {point} is reached"
        if is_of_host(point):
            hosts = self.worker_directory / HOSTS
            # The worker passes on what a host that has ended said, and removes its directory.
            return words in self.said(name) or any(
                words in HostDirectory(path).last_words() for path in hosts.glob("*")
            )
        code = self._processes[name].poll()
        assert code is None or (code == -signal.SIGKILL and words in self.said(name)), self.said(name)
        return code is not None
