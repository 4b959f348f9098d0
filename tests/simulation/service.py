"""The service's process: users trigger and stop runs and switch things, over the real repositories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.errors import Conflict, OrchestraError, Unavailable
from job_orchestra.domain.jobs import LossPolicy, OnLost
from job_orchestra.domain.runs import RunRequest, Source, SourceKind
from job_orchestra.protocol.codec import encode
from job_orchestra.protocol.connection import ConnectionLost, FrameConnection, bearer_authorization
from job_orchestra.protocol.control import HintToMaster, JobSwitched, RunTriggered, RunWish, WorkerWish
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.workers import Workers
from job_orchestra.storage.port import Storage
from tests.simulation.master import GROUP, LIMITED, MASTER
from tests.simulation.network import Network
from tests.simulation.pipelines import PIPELINE, choose_pipeline, choose_retry
from tests.simulation.promises import Promises
from tests.simulation.world import Process, World

T = TypeVar("T")

_USER = Source(SourceKind.USER, "eve")


class ServiceProcess(Process):
    def __init__(self, world: World, network: Network, promises: Promises) -> None:
        super().__init__(world, "service")
        self._network = network
        self._promises = promises
        self._connection: FrameConnection | None = None
        self.policies: Sequence[OnLost] = (OnLost.WAIT,)

    def run(self, storage: Storage) -> None:
        clock = self.world.clock
        self._accounts = Accounts(storage, clock)
        self._runs = Runs(storage, clock)
        self._bound_runs = BoundRuns(storage, clock)
        self._jobs = Jobs(storage, clock)
        self._workers = Workers(storage, clock)
        self.start(self._stay_connected())

    async def _stay_connected(self) -> None:
        while True:
            try:
                authorization = bearer_authorization(await self._accounts.create_control_token())
                async with self._network.connect(self, "/control", authorization, MASTER) as connection:
                    self._connection = connection
                    while True:
                        await connection.receive_frame()
            except OrchestraError:
                self._connection = None
            await asyncio.sleep(0.1 + self.world.chance.random())

    # ---------- what users do

    async def trigger(self, job: str, idempotency_key: str, is_controller: bool = False) -> str:
        """The run; repeated until it is answered, as users do it."""
        request = self._pipeline() if job == PIPELINE else replace(self._request(job), token=is_controller)
        triggered = await self._insist(lambda: self._runs.trigger(request, _USER, idempotency_key))
        run, loss = triggered.run.identifier, request.loss
        self.world.say(self.name, f"{run} of {job} is triggered (if lost for {loss.after:.1f} s: {loss.on_lost})")
        self._promises.answered[idempotency_key] = run
        await self._hint(RunTriggered(run))
        return run

    async def trigger_bound(self, parent: str, job: str, is_controller: bool) -> str | None:
        """A run that is aborted with its parent, which asks for it; None if that is refused."""
        request = self._pipeline() if job == PIPELINE else replace(self._request(job), token=is_controller)
        request = replace(request, abort_with_run=True)
        try:
            triggered = await self._insist(lambda: self._bound_runs.trigger(request, Source(SourceKind.RUN, parent)))
        except Conflict as error:
            self.world.say(self.name, error)
            return None
        await self._hint(RunTriggered(triggered.run.identifier))
        return triggered.run.identifier

    def _request(self, job: str) -> RunRequest:
        workspace = Workspace.JOB if job == "shared" else Workspace.RUN
        chance = self.world.chance
        loss = LossPolicy(chance.choice(self.policies), after=1.0 + chance.random() * 2.0)
        return RunRequest(
            "p",
            job,
            CommandsDefinition((("true",),)),
            workspace=workspace,
            loss=loss,
            retry=choose_retry(chance),
            concurrency=GROUP if job in LIMITED else None,
        )

    def _pipeline(self) -> RunRequest:
        definition = choose_pipeline(self.world.chance)
        if self.world.is_traced:
            for element in definition.elements:
                self.world.say(self.name, element)
        return RunRequest("p", PIPELINE, definition)

    async def stop(self, run: str) -> None:
        """Cancels or aborts it."""
        request = self._runs.request_cancel if self.world.chance.random() < 0.3 else self._runs.request_abort
        self.world.say(self.name, f"{run} is to stop")
        try:
            await self._insist(lambda: request("p", run, "eve"))
        except Conflict as error:
            self.world.say(self.name, f"which cannot be: {error}")
            return
        await self._hint(RunWish(run))

    async def switch_job(self, job: str, is_enabled: bool) -> None:
        await self._try(lambda: self._jobs.set_enabled("p", job, is_enabled))
        await self._hint(JobSwitched("p", job))

    async def switch_worker(self, worker: str) -> None:
        """Disables, drains, or disconnects it."""
        choices: list[Callable[[], Awaitable[object]]] = [
            lambda: self._workers.set_enabled(worker, False),
            lambda: self._workers.set_enabled(worker, True),
            lambda: self._workers.set_drain(worker),
            lambda: self._workers.set_disconnect(worker),
        ]
        await self._try(self.world.chance.choice(choices))
        await self._hint(WorkerWish(worker))

    async def enable(self, worker: str) -> None:
        await self._try(lambda: self._workers.set_enabled(worker, True))

    async def _try(self, work: Callable[[], Awaitable[object]]) -> None:
        """What does not exist yet cannot be switched."""
        try:
            await self._insist(work)
        except OrchestraError as error:
            self.world.say(self.name, error)

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await work()
            except Unavailable:
                await asyncio.sleep(0.2)

    async def _hint(self, hint: HintToMaster) -> None:
        if self._connection is None or self.world.happens(0.2):
            return
        with suppress(ConnectionLost):
            await self._connection.send_frame(encode((hint,)))
