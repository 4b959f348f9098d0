"""The worker's process: its disk, its executor hosts, its connection."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from job_orchestra.domain.errors import Forbidden, OrchestraError, Unauthenticated
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.stopping import OnStop
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.execution.threads import ready_threads
from job_orchestra.protocol.connection import ConnectionLost, basic_authorization, open_connection
from job_orchestra.protocol.messages import Welcome
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.worker_session import WorkerIdentity, WorkerSession
from job_orchestra.version import __version__
from job_orchestra.worker.conversation import Conversation, GoodbyeReceived
from job_orchestra.worker.departure import Departure
from job_orchestra.worker.description import describe_host
from job_orchestra.worker.directory import WorkerDirectory
from job_orchestra.worker.disk_watch import DiskWatch
from job_orchestra.worker.hindrances import Hindrances, HostWatch
from job_orchestra.worker.reconnection import Pauses
from job_orchestra.worker.run_keeper import RunKeeper

_logger = logging.getLogger(__name__)

_REFUSED_PAUSE = 10.0


class WorkerApplication:
    """Stopping it leaves executor hosts and runs alone, unless it is told otherwise (see `OnStop`)."""

    def __init__(
        self,
        *,
        identifier: str,
        directory: Path,
        master_url: str,
        user: str,
        token: str,
        display_name: str = "",
        executor_limit: int = 1,
        properties: JsonObject | None = None,
        service_url: str = "",
        executors: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        host_linger: float = 60.0,
        on_stop: OnStop = OnStop.KEEP,
        patience: float = 10.0,
        disk_interval: float = 5.0,
        host_interval: float = 5.0,
    ) -> None:
        """`executors`: `module:Class` by type of definition. `environment`: the commands', by default this process's.

        `host_linger`: seconds that an idle executor host stays without a worker. `patience`: seconds without progress
        that a worker which is to leave waits for a master to take what it has. `disk_interval`: seconds between two
        looks at the room on its disk, `host_interval` those between two questions to its executor host.
        """
        self._identifier = identifier
        self._path = directory
        self._url = f"{master_url.rstrip('/')}/worker"
        self._authorization = basic_authorization(user, token)
        self._display_name = display_name
        self._executor_limit = executor_limit
        self._properties = properties or {}
        self._service_url = service_url
        self._executors = executors or {}
        self._environment = os.environ if environment is None else environment
        self._host_linger = host_linger
        self._waits_for = ""
        self._departure = Departure(on_stop, patience)
        self._disk_interval = disk_interval
        self._host_interval = host_interval

    def change_on_stop(self, on_stop: OnStop) -> None:
        """Also while it is stopping already."""
        self._departure.change(on_stop)

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Until `stop` is set; `ready` hears once, at the first welcome.

        Raises what `WorkerDirectory` and `ready_threads` do.
        """
        asyncio.get_running_loop().set_default_executor(ready_threads())
        directory = WorkerDirectory(self._path)
        conversation = Conversation(WorkerSession(), lambda: keeper)
        hindrances = Hindrances(conversation.hindered)

        def on_looked() -> None:
            conversation.send()
            self._departure.note()

        def on_deleted(key: RunKey) -> None:
            conversation.on_deleted(key)
            self._departure.note()

        keeper = RunKeeper(
            directory,
            self._environment,
            self._executors,
            self._service_url,
            self._host_linger,
            on_grown=conversation.report,
            on_looked=on_looked,
            on_written=conversation.on_written,
            on_deleted=on_deleted,
            on_damaged=conversation.damaged,
            on_hindered=hindrances.of("watches"),
        )
        try:
            await keeper.start()
            for run in keeper.runs:
                conversation.found(run)
            await self._work(stop, keeper, conversation, hindrances, self._describe(directory), ready)
        finally:
            await keeper.close()
            directory.close()

    async def _work(
        self,
        stop: asyncio.Event,
        keeper: RunKeeper,
        conversation: Conversation,
        hindrances: Hindrances,
        identity: WorkerIdentity,
        ready: Callable[[str], None],
    ) -> None:
        leave = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected(leave, conversation, identity, ready), name="stay connected")
            disk = DiskWatch(self._path, hindrances.of("disk"), self._disk_interval)
            host = HostWatch(keeper.host_silence, hindrances.of("host"), self._host_interval, 2 * self._host_interval)
            watching = [tasks.create_task(one.run(), name="watch disk and host") for one in (disk, host)]
            await stop.wait()
            for one in watching:
                one.cancel()
            await self._departure.carry_out(keeper, hindrances.of("departure"))
            leave.set()

    def _describe(self, directory: WorkerDirectory) -> WorkerIdentity:
        return WorkerIdentity(
            version=__version__,
            identifier=self._identifier,
            instance=directory.instance,
            boot=boot_identifier(),
            display_name=self._display_name,
            executor_limit=self._executor_limit,
            properties={**describe_host(), **self._properties},
        )

    # ---------- the connection

    async def _stay_connected(
        self,
        stop: asyncio.Event,
        conversation: Conversation,
        identity: WorkerIdentity,
        ready: Callable[[str], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        is_ready = False

        def on_connected(welcome: Welcome) -> None:
            nonlocal is_ready
            self._waits_for = ""
            _logger.info("Connected to master %s at %s.", welcome.master, self._url)
            if not is_ready:
                ready(f"worker: ready, {self._identifier} is connected to {self._url}")
            is_ready = True

        pauses = Pauses()
        while not stop.is_set():
            began = loop.time()
            connecting = asyncio.create_task(self._connect(conversation, identity, on_connected), name="connection")
            stopping = asyncio.create_task(stop.wait(), name="stop")
            await asyncio.wait([connecting, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if stop.is_set():
                await _leave(conversation, connecting)
                return
            error = connecting.result()
            self._say_why(error)
            pause = _REFUSED_PAUSE if _is_refusal(error) else pauses.after(loop.time() - began)
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue

    async def _connect(
        self, conversation: Conversation, identity: WorkerIdentity, on_connected: Callable[[Welcome], None]
    ) -> OrchestraError:
        """One connection to its end, and why it ended."""
        try:
            async with open_connection(self._url, self._authorization) as connection:
                return await conversation.hold(connection, identity, on_connected)
        except OrchestraError as error:
            return error

    def _say_why(self, error: OrchestraError) -> None:
        """Once, and when it changes."""
        if self._waits_for == error.message:
            return
        self._waits_for = error.message
        if isinstance(error, ConnectionLost | GoodbyeReceived) or _is_refusal(error):
            what = "to be let in" if _is_refusal(error) else "for the master"
            _logger.warning("Worker %s waits %s: %s", self._identifier, what, error.message)
        else:
            _logger.error("Worker %s gave the connection up: %s", self._identifier, error.message)


def _is_refusal(error: OrchestraError) -> bool:
    """Whether the master does not want this worker as it is."""
    return isinstance(error, Unauthenticated | Forbidden) or (isinstance(error, GoodbyeReceived) and error.is_final)


async def _leave(conversation: Conversation, connecting: asyncio.Task[OrchestraError]) -> None:
    """Closes the connection in order, if there is one."""
    if conversation.say_goodbye():
        await asyncio.wait([connecting], timeout=2.0)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
