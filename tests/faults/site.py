"""An installation whose applications are processes of ours: a master, a service, two workers; no website."""

from __future__ import annotations

import asyncio
from pathlib import Path

from job_orchestra.cli.host import records_of
from job_orchestra.cli.host_stop import end_hosts
from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.databases import open_administration
from job_orchestra.domain.roles import Role
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.settings.reading import load_settings
from tests.end_to_end.installation import Installation
from tests.faults.applications import Application
from tests.faults.databases import Database
from tests.faults.deeds import write_projects
from tests.faults.executor_hosts import ExecutorHosts
from tests.faults.findings import Findings
from tests.faults.lines import PROJECTS as PIPELINES
from tests.faults.plan import Act, Victim
from tests.ports import free_port

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
        self._other_port = free_port()
        self.service_url = self._installation.service_url
        write_projects(directory / "projects.py", self.tally, PIPELINES)
        self.credentials = Credentials("")
        """Of somebody who may trigger and stop runs, once it is started."""
        self.worker_directories = [directory / f"at-{worker}" for worker in _WORKERS]
        self._applications: dict[Victim, Application] = {}
        self.hosts = dict(zip(_HOSTS, map(ExecutorHosts, self.worker_directories), strict=True))

    @property
    def outputs(self) -> list[Path]:
        """Where applications and executor hosts say what they say."""
        said = [application.output for application in self._applications.values()]
        return [*said, *(path for hosts in self.hosts.values() for path in hosts.outputs)]

    async def start(self) -> None:
        """Returns when all are ready."""
        await asyncio.to_thread(open_administration(self._database.url).create)
        async with records_of(load_settings(self.directory / "orchestra.toml", {}, must_exist=True)) as records:
            self.credentials = await _new_credentials(records.accounts, "caller", Role.OPERATOR)
            carrier = await _new_credentials(records.accounts, "carrier", Role.WORKER)
        self._applications[Victim.MASTER] = self._application(Victim.MASTER, {})
        if self._database.victim is Victim.POSTGRESQL:
            self._applications[Victim.OTHER_MASTER] = self._application(
                Victim.OTHER_MASTER,
                {"ORCHESTRA_MASTER_IDENTIFIER": "other", "ORCHESTRA_MASTER_PORT": str(self._other_port)},
            )
        self._applications[Victim.SERVICE] = self._application(Victim.SERVICE, {})
        for victim, directory in zip(_WORKERS, self.worker_directories, strict=True):
            self._applications[victim] = self._application(
                victim,
                {
                    "ORCHESTRA_WORKER_IDENTIFIER": victim,
                    "ORCHESTRA_WORKER_DIRECTORY": str(directory),
                    "ORCHESTRA_WORKER_EXECUTOR_LIMIT": _EXECUTOR_LIMIT,
                    "ORCHESTRA_WORKER_USER": "carrier",
                    "ORCHESTRA_WORKER_TOKEN": carrier.token,
                    **self._master_of(victim),
                },
            )
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

    def _master_of(self, worker: Victim) -> dict[str, str]:
        """Of two masters each has a worker."""
        if worker is not Victim.WORKER_2 or Victim.OTHER_MASTER not in self._applications:
            return {}
        return {"ORCHESTRA_WORKER_MASTER_URL": f"ws://127.0.0.1:{self._other_port}"}

    def _application(self, victim: Victim, more: dict[str, str]) -> Application:
        installation = self._installation
        command = installation.command(victim.partition("-")[0])
        return Application(victim, command, self.directory, installation.environment(more), self._findings)


async def _new_credentials(accounts: Accounts, user: str, role: Role) -> Credentials:
    await accounts.create_user(user, (role,))
    return Credentials((await accounts.create_token(user)).secret, user)
