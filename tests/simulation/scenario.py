"""One simulated life: runs are triggered and stopped, everything breaks, then it heals; promises hold all the way."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from unittest.mock import patch

from job_orchestra.domain.jobs import OnLost
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import TokenKind
from job_orchestra.protocol.connection import basic_authorization
from job_orchestra.repositories.accounts import Accounts
from tests.simulation.machine import Machine
from tests.simulation.master import ALL_JOBS, JOBS, MASTER, OTHER_MASTER, MasterProcess, SimulatedMaster
from tests.simulation.memory_logs import LogBytes, MemoryLogs
from tests.simulation.memory_storage import MemoryDatabase, MemoryStorage
from tests.simulation.network import Network
from tests.simulation.passage import LAST_MOMENT, Facility, Way
from tests.simulation.pipelines import PIPELINE
from tests.simulation.promises import Promises
from tests.simulation.service import ServiceProcess
from tests.simulation.virtual_time import VirtualClock, VirtualLoop
from tests.simulation.worker import WorkerProcess
from tests.simulation.world import Process, World

_TROUBLE = 15.0
"""Virtual seconds in which things break."""
_HEALED_PACE = 0.1
_HEALED_WITHIN = 120.0
"""Virtual seconds after which nothing waits any more."""


@dataclass(frozen=True, slots=True)
class Troubles:
    """What one life has to bear."""

    faults: tuple[tuple[Callable[[], None], int], ...]
    """Each with its weight."""
    policies: tuple[OnLost, ...] = (OnLost.WAIT, OnLost.WAIT, OnLost.FAIL, OnLost.RETRY)
    paces: tuple[float, ...] = (0.001, 0.01, 0.1, 1.0, 5.0)
    """Seconds that a step of a run may take."""
    triggering: float = 0.7
    """In which part of the trouble runs are triggered."""
    stopping: float = 0.3
    """How many of the runs somebody wants stopped."""
    most_machines: int = 3
    pauses: tuple[float, ...] = (0.2, 1.0, 4.0)
    """Seconds between two faults, on the average; one of them for a life."""
    pipelines: float = 0.0
    """How many of the runs are pipelines."""
    controllers: float = 0.0
    """How many of the others trigger runs that are aborted with them."""
    masters: tuple[str, ...] = (MASTER,)
    is_calm: bool = False
    """Whether network, database and disks work well all the time: nothing else breaks but what `faults` names."""


class Scenario:
    def __init__(self, seed: int, tell: Callable[[str], None] | None = None) -> None:
        self._seed = seed
        self.world = world = World(seed, tell)
        template, self._authorization = prepared()
        self._database = template.copy()
        self._logs = LogBytes()
        self._database_way = Facility(world, "database")
        self._logs_way = Facility(world, "disk")
        self._network = Network(world)
        self._troubles = self._choose_troubles()
        machines = world.chance.randint(1, self._troubles.most_machines)
        self.machines = [Machine(world, f"w{number}") for number in range(machines)]
        self.promises = Promises(world, self._database, self._logs, self.machines)
        self._network.on_sent_by_master = self.promises.on_sent
        self._processes: list[Process] = []
        self._workers: dict[str, WorkerProcess] = {}
        self._away: set[str] = set()
        """Machines that are switched off."""
        self._masters: dict[str, MasterProcess | None] = dict.fromkeys(self._troubles.masters)
        """By name; None before the first start."""
        self._service = ServiceProcess(world, self._network, self.promises)
        self._processes.append(self._service)
        self._switching: list[asyncio.Task[None]] = []

    def run(self) -> None:
        """Violation with the promise that is broken."""
        loop = self.world.loop
        logging.disable(logging.CRITICAL)
        try:
            with patch.object(secrets, "randbits", self.world.chance.getrandbits):
                loop.run_until_complete(self._live())
                self._end_all(loop)
            if self.world.violated.done():
                self.world.violated.result()
        finally:
            logging.disable(logging.NOTSET)
            if not self.world.violated.done():
                self.world.violated.cancel()
            loop.close()

    def _end_all(self, loop: VirtualLoop) -> None:
        for process in self._processes:
            process.die()
        left = [task for process in self._processes for task in process.tasks if not task.done()]
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=60.0))

    async def _live(self) -> None:
        life = asyncio.ensure_future(self._events())
        await asyncio.wait([life, self.world.violated], return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            life.result()
        else:
            life.cancel()

    async def _events(self) -> None:
        world = self.world
        world.is_troubled = not self._troubles.is_calm
        self._service.run(self._storage(self._service))
        self._service.policies = self._troubles.policies
        for machine in self.machines:
            machine.paces = self._troubles.paces
        self._keep_alive()
        users = [self._service.start(self._use(f"key-{number}")) for number in range(world.chance.randint(1, 6))]
        trouble = asyncio.ensure_future(self._trouble())
        await asyncio.sleep(_TROUBLE)
        trouble.cancel()
        await self._heal()
        await asyncio.gather(*users)
        deadline = world.now + _HEALED_WITHIN
        while unfinished := self.promises.unfinished():
            world.require(world.now < deadline, f"P8: long after everything is well: {unfinished}")
            await asyncio.sleep(0.25)
        self.promises.check_answered()

    # ---------- what users do

    async def _use(self, idempotency_key: str) -> None:
        chance = self.world.chance
        await asyncio.sleep(chance.random() * _TROUBLE * self._troubles.triggering)
        job = PIPELINE if chance.random() < self._troubles.pipelines else chance.choice(JOBS)
        is_controller = job != PIPELINE and chance.random() < self._troubles.controllers
        run = await self._service.trigger(job, idempotency_key, is_controller)
        controlling = self._service.start(self._control(run, 2)) if is_controller else None
        if chance.random() < 0.4:
            # Somebody who is not sure to have been heard asks again.
            await asyncio.sleep(chance.random() * chance.choice([0.1, 1.0]))
            again = await self._service.trigger(job, idempotency_key, is_controller)
            self.world.require(again == run, f"P1: {idempotency_key} made {run} and then {again}")
        if chance.random() < self._troubles.stopping:
            await asyncio.sleep(chance.random() * chance.choice([0.1, 1.0, 10.0]))
            await self._service.stop(run)
        if controlling is not None:
            await controlling

    async def _control(self, run: str, depth: int) -> None:
        """What a run does with its token; what was still on its way when it ended comes late."""
        chance = self.world.chance
        for _ in range(chance.randint(1, 4)):
            await asyncio.sleep(chance.random() * chance.choice([0.001, 0.1, 1.0, 5.0]))
            is_controller = depth > 1 and chance.random() < 0.5
            job = PIPELINE if not is_controller and chance.random() < 0.2 else chance.choice(JOBS)
            child = await self._service.trigger_bound(run, job, is_controller)
            if child is None:
                return
            if is_controller:
                await self._control(child, depth - 1)

    def _choose_troubles(self) -> Troubles:
        chance = self.world.chance
        absences = Troubles(
            ((self._go_away, 4), (self._kill_master, 1), (self._cut, 1), (self._kill_worker, 1)),
            policies=(OnLost.FAIL, OnLost.RETRY, OnLost.RETRY),
            paces=(1.0, 5.0),
            triggering=0.2,
        )
        # The one worker there is comes back to its own run, as the next attempt, while the old one executes.
        returns = Troubles(
            ((self._come_back_late, 4), (self._cut, 1), (self._kill_master, 1)),
            policies=(OnLost.RETRY,),
            paces=(1.0, 4.0),
            triggering=0.1,
            stopping=0.0,
            most_machines=1,
            pauses=(3.0,),
            is_calm=True,
        )
        of_machines = Troubles(
            (
                (self._end_host, 3),
                (self._reboot, 3),
                (self._lose_directory, 2),
                (self._kill_worker, 2),
                (self._cut, 2),
                (self._kill_master, 1),
            ),
            paces=(0.1, 1.0, 3.0),
        )
        everything = (
            *((fault, 3) for fault in (self._kill_master, self._kill_worker, self._cut)),
            *((fault, 2) for fault in (self._stall, self._database_goes_down)),
            *((fault, 1) for fault in (self._stop_master, self._stop_worker, self._disk_goes_down)),
            *((fault, 1) for fault in (self._end_host, self._reboot, self._lose_directory, self._go_away)),
            *((fault, 1) for fault in (self._switch_job, self._switch_worker)),
        )
        of_pipelines = Troubles(
            (*chance.sample(everything, chance.randint(0, 4)), (self._kill_master, 4), (self._cut, 1)),
            paces=(0.001, 0.1, 1.0),
            pipelines=0.8,
            masters=(MASTER, OTHER_MASTER) if chance.random() < 0.6 else (MASTER,),
        )
        of_controllers = replace(of_pipelines, pipelines=0.0, controllers=0.8, stopping=0.6)
        # Not everything in every life, so that the rarer meetings are not lost in the noise.
        some = Troubles(tuple(chance.sample(everything, chance.randint(1, len(everything)))))
        return chance.choices([some, absences, returns, of_machines, of_pipelines, of_controllers], [4, 1, 1, 2, 3, 3])[
            0
        ]

    # ---------- what breaks

    async def _trouble(self) -> None:
        chance = self.world.chance
        pause = chance.choice(self._troubles.pauses)
        faults, weights = zip(*self._troubles.faults, strict=True)
        while True:
            await asyncio.sleep(chance.expovariate(1.0 / pause))
            chance.choices(faults, weights)[0]()

    def _kill_master(self) -> None:
        master = self._a_master()
        if master is not None:
            self.world.say(master.name, "is killed")
            master.die()

    def _stop_master(self) -> None:
        master = self._a_master()
        if master is not None and master.is_alive:
            self.world.say(master.name, "is stopped")
            master.stop.set()
            self.world.soon(master.die, 20.0)  # by whoever stopped it, if it takes too long

    def _a_master(self) -> MasterProcess | None:
        return self.world.chance.choice([*self._masters.values()])

    def _kill_worker(self) -> None:
        self._a_worker(lambda worker: worker.die(), "is killed")

    def _stop_worker(self) -> None:
        self._a_worker(lambda worker: worker.leave(), "is stopped")

    def _a_worker(self, fault: Callable[[WorkerProcess], None], what: str) -> None:
        worker = self._workers.get(self.world.chance.choice(self.machines).name)
        if worker is not None:
            self.world.say(worker.name, what)
            fault(worker)

    def _cut(self) -> None:
        if self._network.wires:
            self.world.chance.choice(self._network.wires).cut()

    def _stall(self) -> None:
        if self._network.wires:
            wire = self.world.chance.choice(self._network.wires)
            seconds = self.world.chance.random() * 5.0
            self.world.say("network", f"{wire.name} stalls for {seconds:.1f} s")
            wire.stall(seconds)

    def _database_goes_down(self) -> None:
        self._database_way.go_down(self.world.chance.random() * 4.0)

    def _disk_goes_down(self) -> None:
        self._logs_way.go_down(self.world.chance.random() * 4.0)

    def _a_machine(self, fault: Callable[[Machine], None], what: str, with_worker: bool) -> None:
        machine = self.world.chance.choice(self.machines)
        self.world.say(machine.name, what)
        if with_worker and machine.name in self._workers:
            self._workers[machine.name].die()
        fault(machine)

    def _end_host(self) -> None:
        self._a_machine(Machine.end_host, "the executor host dies", with_worker=False)

    def _reboot(self) -> None:
        self._a_machine(Machine.reboot, "reboots", with_worker=True)

    def _lose_directory(self) -> None:
        self._a_machine(Machine.lose_directory, "loses its directory", with_worker=True)

    def _go_away(self) -> None:
        self.stay_away(self.world.chance.choice(self.machines), 1.0 + self.world.chance.random() * 14.0)

    def _come_back_late(self) -> None:
        machine = self.world.chance.choice(self.machines)
        if machine.name not in self._away:
            self.stay_away(machine, 7.0 + self.world.chance.random() * 2.0)

    def stay_away(self, machine: Machine, seconds: float) -> None:
        """Its worker is gone for so long; what executes there goes on."""
        self.world.say(machine.name, f"is off the network for {seconds:.1f} s")
        if machine.name in self._workers:
            self._workers[machine.name].die()
        self._away.add(machine.name)
        self.world.after(seconds, lambda: self._away.discard(machine.name))

    def _switch_job(self) -> None:
        is_enabled = self.world.chance.random() < 0.5
        self._switch(self._service.switch_job(self.world.chance.choice(ALL_JOBS), is_enabled))

    def _switch_worker(self) -> None:
        self._switch(self._service.switch_worker(self.world.chance.choice(self.machines).name))

    def _switch(self, work: Coroutine[Any, Any, None]) -> None:
        self._switching.append(self._service.start(work))

    # ---------- what goes on all the same

    def _keep_alive(self) -> None:
        """Starts again what has died, as `systemd` would, after a while."""
        for name, master in self._masters.items():
            if master is None or (not master.is_alive and self.world.now > master.died_at + LAST_MOMENT):
                self._start_master(name)
        for machine in self.machines:
            worker = self._workers.get(machine.name)
            if machine.name not in self._away and (worker is None or not worker.is_alive):
                self._start_worker(machine)
        self.world.soon(self._keep_alive, 1.0)

    def _start_master(self, name: str) -> None:
        master = self._masters[name] = MasterProcess(self.world, f"{name}#{len(self._processes)}")
        self._processes.append(master)
        log_store = MemoryLogs(self._logs, Way(self._logs_way, master, outlives_caller=False))
        master.run(SimulatedMaster(master, self._network, self._storage(master), log_store))

    def _start_worker(self, machine: Machine) -> None:
        worker = WorkerProcess(self.world, len(self._processes), machine, self.promises.on_delete)
        self._processes.append(worker)
        self._workers[machine.name] = worker
        worker.run(self._network, self._authorization, self._troubles.masters)

    def _storage(self, process: Process) -> MemoryStorage:
        return MemoryStorage(self._database, Way(self._database_way, process, outlives_caller=True))

    async def _heal(self) -> None:
        self.world.say("everything", "heals")
        self.world.is_troubled = False
        self._away.clear()
        self._database_way.heal()
        self._logs_way.heal()
        self._network.heal()
        await asyncio.gather(*self._switching)
        for machine in self.machines:
            machine.paces = (_HEALED_PACE,)
        enabling = [self._service.switch_job(job, True) for job in ALL_JOBS]
        enabling += [self._service.enable(machine.name) for machine in self.machines]
        await asyncio.gather(*(self._service.start(one) for one in enabling))


@cache
def prepared() -> tuple[MemoryDatabase, str]:
    """A database with the user whose token the workers use."""
    database = MemoryDatabase()
    loop = VirtualLoop()

    async def prepare() -> str:
        accounts = Accounts(MemoryStorage(database), VirtualClock(loop))
        await accounts.create_user("workers", roles=(Role.WORKER,))
        token = await accounts.create_token("workers", TokenKind.PERSONAL, "", None)
        return basic_authorization("workers", token.secret)

    try:
        return database, loop.run_until_complete(prepare())
    finally:
        loop.close()
