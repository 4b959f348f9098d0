"""An installation whose applications are processes of ours: a master, a service, two workers; no website."""

from __future__ import annotations

import asyncio
from pathlib import Path

from job_orchestra.cli.host_stop import end_hosts
from job_orchestra.client.credentials import Credentials
from tests.end_to_end.installation import Installation
from tests.faults.applications import Application
from tests.faults.databases import Database
from tests.faults.deeds import write_projects
from tests.faults.executor_hosts import ExecutorHosts
from tests.faults.findings import Findings
from tests.faults.plan import Act, Victim

_WORKERS = (Victim.WORKER_1, Victim.WORKER_2)
_HOSTS = (Victim.HOST_1, Victim.HOST_2)
_EXECUTOR_LIMIT = "4"


class Site:
    def __init__(self, directory: Path, database: Database, findings: Findings) -> None:
        self.directory = directory
        self.tally = directory / "tally"
        self._database = database
        self._findings = findings
        self._installation = Installation(directory, database.url)
        self.service_url = self._installation.service_url
        write_projects(directory / "projects.py", self.tally)
        self._must(self._installation.orchestra("database", "create").returncode == 0)
        self.credentials = Credentials(self._new_token("caller", "operator"), "caller")
        self.worker_directories = [directory / f"at-{worker}" for worker in _WORKERS]
        token = self._new_token("carrier", "worker")
        self._applications = {name: self._application(name, {}) for name in (Victim.MASTER, Victim.SERVICE)}
        for worker, path in zip(_WORKERS, self.worker_directories, strict=True):
            self._applications[worker] = self._application(
                worker,
                {
                    "ORCHESTRA_WORKER_IDENTIFIER": worker,
                    "ORCHESTRA_WORKER_DIRECTORY": str(path),
                    "ORCHESTRA_WORKER_EXECUTOR_LIMIT": _EXECUTOR_LIMIT,
                    "ORCHESTRA_WORKER_USER": "carrier",
                    "ORCHESTRA_WORKER_TOKEN": token,
                },
            )
        self.hosts = dict(zip(_HOSTS, map(ExecutorHosts, self.worker_directories), strict=True))

    @property
    def outputs(self) -> list[Path]:
        """Where applications and executor hosts say what they say."""
        said = [application.output for application in self._applications.values()]
        return [*said, *(path for hosts in self.hosts.values() for path in hosts.outputs)]

    async def start(self) -> None:
        """Returns when all are ready."""
        for application in self._applications.values():
            await application.start()
        for application in self._applications.values():
            await application.wait_until_ready()

    async def suffer(self, victim: Victim, act: Act, pause: float) -> None:
        """Returns when the victim is as before, or on its way to it."""
        if victim in self.hosts:
            await self.hosts[victim].suffer(act, pause)
        elif victim in self._applications:
            await self._applications[victim].suffer(act, pause)
        else:
            await self._database.suffer(act, pause)

    async def end(self) -> None:
        """All that was started here, executor hosts included."""
        for application in reversed(self._applications.values()):
            await application.end()
        for directory in self.worker_directories:
            await asyncio.to_thread(end_hosts, directory)

    def _application(self, victim: Victim, more: dict[str, str]) -> Application:
        installation = self._installation
        command = installation.command(victim.partition("-")[0])
        return Application(victim, command, self.directory, installation.environment(more), self._findings)

    def _new_token(self, user: str, role: str) -> str:
        self._must(self._installation.orchestra("user", "create", user, "--role", role).returncode == 0)
        token: str = self._installation.json("token", "create", user)["secret"]
        return token

    def _must(self, condition: bool) -> None:
        assert condition, f"the installation in {self.directory} cannot be made"
