"""The master's process: the real application over simulated storage and a simulated network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from job_orchestra.composition.master import MasterComposition
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.configuration import ConfiguredProject, parse_projects
from job_orchestra.protocol.connection import Admit, FrameServer, Serve
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.settings.sections import MasterSettings, Settings
from job_orchestra.storage.log_port import LogStore
from job_orchestra.storage.port import Storage
from tests.simulation.memory_logs import MemoryLogs
from tests.simulation.network import Network, Server
from tests.simulation.pipelines import NESTED, PIPELINE
from tests.simulation.world import Process

MASTER = "master"
OTHER_MASTER = "other"
JOBS = ("own", "shared", "first", "second")
"""That users trigger; pipelines trigger some of them and others, too."""
GROUP = "few"
LIMIT = 2
LIMITED = ("first", "second")
"""The jobs of that concurrency group."""
ALL_JOBS = (*JOBS, "again", PIPELINE, NESTED)
_PARAMETERS = [{"identifier": "of", "default": ""}]
PROJECTS = parse_projects(
    [
        {
            "identifier": "p",
            "jobs": [
                {"identifier": "own", "commands": [["true"]], "workspace": "run", "parameters": _PARAMETERS},
                {"identifier": "shared", "commands": [["true"]], "workspace": "job", "parameters": _PARAMETERS},
                {
                    "identifier": "again",
                    "commands": [["true"]],
                    "workspace": "run",
                    "on_lost": "retry",
                    "lost_after": 2,
                    "parameters": _PARAMETERS,
                },
                *({"identifier": job, "commands": [["true"]], "concurrency": GROUP} for job in LIMITED),
                {"identifier": PIPELINE, "elements": [{"identifier": "only", "job": "own"}]},
                {
                    "identifier": NESTED,
                    "elements": [
                        {"identifier": "first", "job": "own"},
                        {
                            "identifier": "each",
                            "job": "again",
                            "after": [{"element": "first", "statuses": "always"}],
                            "for_each": [1, 2],
                            "allow_failure": True,
                        },
                    ],
                },
            ],
            "concurrency": {GROUP: LIMIT},
        }
    ]
)
PENDING_EXPIRY = 86_400


class SimulatedMaster(MasterComposition):
    """Everything as it is composed for users, but for what touches the world."""

    def __init__(
        self,
        process: Process,
        network: Network,
        storage: Storage,
        log_store: MemoryLogs,
        pending_expiry: int = PENDING_EXPIRY,
    ) -> None:
        settings = MasterSettings(identifier=process.application, pending_expiry=pending_expiry)
        super().__init__(Settings(file=Path("/nowhere/settings.toml"), master=settings))
        self._process = process
        self._network = network
        self._storage = storage
        self._log_store = log_store

    @cached_property
    def clock(self) -> Clock:
        return self._process.world.clock

    @cached_property
    def storage(self) -> Storage:
        return self._storage

    @cached_property
    def check_schema(self) -> Callable[[], Awaitable[None]]:
        async def check() -> None:
            """There is only one."""

        return check

    @cached_property
    def log_store(self) -> LogStore:
        return self._log_store

    @cached_property
    def log_disk_watch(self) -> LogDiskWatch:
        return LogDiskWatch(self._log_store)

    @cached_property
    def load_projects(self) -> Callable[[], Sequence[ConfiguredProject]]:
        return lambda: PROJECTS

    @cached_property
    def frame_server(self) -> type[FrameServer]:
        network, process = self._network, self._process

        class Listening(Server):
            def __init__(self, address: str, port: int, admit: Admit, handlers: Mapping[str, Serve]) -> None:
                super().__init__(network, process, admit, handlers)

        return Listening


class MasterProcess(Process):
    """One life of a master."""

    stop: asyncio.Event

    def run(self, composition: SimulatedMaster) -> None:
        self.stop = asyncio.Event()
        self.start(self._run(composition))

    async def _run(self, composition: SimulatedMaster) -> None:
        world = self.world
        world.say(self.name, "starts")
        try:
            await composition.application.run(self.stop, lambda sentence: world.say(self.name, sentence))
        except Exception as error:
            world.violate(f"P10: the master ends by itself: {error!r}")
        if not self.stop.is_set():
            world.violate("P10: the master ends by itself")
        self.die()
