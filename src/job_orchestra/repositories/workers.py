"""Workers: who they are, whether they are connected (the master's facts), and the users' switches."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from datetime import datetime

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Conflict, NotFound
from job_orchestra.domain.moments import from_microseconds, to_microseconds
from job_orchestra.domain.workers import Worker, WorkerDescription
from job_orchestra.repositories.conditions import Contended, among, equal, find_everything, find_one
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.columns import optional_microseconds, text
from job_orchestra.repositories.rows.workers import description_to_data, worker_from_row
from job_orchestra.repositories.run_paths import count_on, unfinished_of
from job_orchestra.storage.port import (
    Batch,
    Condition,
    Delete,
    Find,
    Insert,
    Operation,
    Operator,
    Order,
    Row,
    Storage,
    Update,
)
from job_orchestra.storage.schema import WORKERS

_ORDER = (Order("identifier"),)


class Workers:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    # ---------- reading

    async def list(self, limit: int = LIMIT, cursor: str | None = None, descending: bool = False) -> Listed[Worker]:
        """By identifier."""
        query = Find(WORKERS.name, (), (Order("identifier", descending),), limit=limit)
        return await list_page(self._storage, query, cursor, worker_from_row)

    async def all(self) -> builtins.list[Worker]:
        rows = await find_everything(self._storage, Find(WORKERS.name, (), _ORDER))
        return [worker_from_row(row) for row in rows]

    async def load_many(self, workers: Iterable[str]) -> builtins.list[Worker]:
        """Those of them that there are, by identifier."""
        wanted = sorted(set(workers))
        if not wanted:
            return []
        query = Find(WORKERS.name, (among("identifier", wanted),), _ORDER)
        return [worker_from_row(row) for row in await find_everything(self._storage, query)]

    async def get(self, worker: str) -> Worker:
        """NotFound if there is none."""
        found = await self.find(worker)
        if found is None:
            raise NotFound("worker", worker)
        return found

    async def find(self, worker: str) -> Worker | None:
        row = await find_one(self._storage, Find(WORKERS.name, (equal("identifier", worker),)))
        return None if row is None else worker_from_row(row)

    # ---------- the master's facts

    async def register(
        self,
        known: Worker | None,
        identifier: str,
        owner: str,
        instance: str,
        description: WorkerDescription,
        skew: float,
        master: str,
    ) -> Worker | None:
        """The worker connected; None if it is not any more as it was `known`, which is to be looked at again then.

        Conflict, naming the holder, if it belongs to another user, or another instance is connected under its name.
        """
        now = to_microseconds(self._clock.now())
        facts: Row = {
            "instance": instance,
            "description": description_to_data(description),
            "should_disconnect": False,  # the one wish that a new connection settles
            "is_connected": True,
            "connected_at": now,
            "skew": skew,
            "master": master,
            "seen_at": now,
        }
        operation: Operation
        if known is None:
            row: Row = {"identifier": identifier, "owner": owner, "registered_at": now, **facts}
            operation = Insert(WORKERS.name, row)
        else:
            check_holder(known, owner, instance)
            # As it was looked at: of two that come at once, the second finds the first connected.
            where = (
                equal("identifier", identifier),
                equal("owner", owner),
                equal("instance", known.instance),
                equal("master", known.master),
                equal("connected_at", optional_microseconds(known.connected_at)),
                equal("is_connected", known.is_connected),
            )
            operation = Update(WORKERS.name, where, facts)
        outcome = await self._storage.write(Batch((operation,)))
        stored = await self.find(identifier) if outcome.is_applied else None
        # Not what a newer connection has made of it meanwhile: that is another master's, perhaps.
        is_ours = stored is not None and (stored.master, stored.connected_at) == (master, from_microseconds(now))
        return stored if is_ours else None

    async def describe(self, worker: Worker) -> None:
        """What the worker says of itself has changed; of no effect if a newer connection took its place."""
        where = (
            equal("identifier", worker.identifier),
            equal("instance", worker.instance),
            equal("master", worker.master),
            equal("connected_at", optional_microseconds(worker.connected_at)),
        )
        changes: Row = {"description": description_to_data(worker.description)}
        await self._storage.write(Batch((Update(WORKERS.name, where, changes, optional=True),)))

    async def disconnect(self, worker: Worker) -> None:
        """The connection has ended that `connect` answered with this; changes nothing if a newer one took its place."""
        where = (
            equal("identifier", worker.identifier),
            equal("instance", worker.instance),
            equal("master", worker.master),
            equal("connected_at", optional_microseconds(worker.connected_at)),
            equal("is_connected", True),
        )
        await self._storage.write(Batch((Update(WORKERS.name, where, self._disconnected(), optional=True),)))

    async def disconnect_all(self, master: str) -> None:
        """When this master starts: the connections of its earlier life are gone."""
        where = (equal("master", master), equal("is_connected", True))
        await self._storage.write(Batch((Update(WORKERS.name, where, self._disconnected(), optional=True),)))

    async def renew_holds(self, master: str, workers: Sequence[str]) -> None:
        """The master still holds the connections of these workers."""
        where = (equal("master", master), equal("is_connected", True), among("identifier", workers))
        changes: Row = {"seen_at": to_microseconds(self._clock.now())}
        await self._storage.write(Batch((Update(WORKERS.name, where, changes, optional=True),)))

    async def free_abandoned(self, before: datetime) -> builtins.list[str]:
        """Workers that no master has renewed its hold of since are disconnected now; answers with their names."""
        abandoned = (
            equal("is_connected", True),
            Condition("seen_at", Operator.LESS, to_microseconds(before)),
        )
        freed: list[str] = []
        for row in await find_everything(self._storage, Find(WORKERS.name, abandoned, _ORDER)):
            where = (equal("identifier", text(row, "identifier")), *abandoned)
            outcome = await self._storage.write(Batch((Update(WORKERS.name, where, self._disconnected()),)))
            if outcome.is_applied:
                freed.append(text(row, "identifier"))
        return freed

    def _disconnected(self) -> Row:
        return {"is_connected": False, "disconnected_at": to_microseconds(self._clock.now())}

    # ---------- the users' wishes

    async def set_enabled(self, worker: str, is_enabled: bool) -> Worker:
        """Enabling ends draining, too."""
        return await self._switch(worker, {"is_enabled": is_enabled, **({"should_drain": False} if is_enabled else {})})

    async def set_drain(self, worker: str, should_drain: bool = True) -> Worker:
        return await self._switch(worker, {"should_drain": should_drain})

    async def set_disconnect(self, worker: str) -> Worker:
        """Asks the master to close its connection; Conflict if there is none."""
        found = await self.get(worker)
        if not found.is_connected:
            raise Conflict(f"Worker {worker!r} is not connected.")
        return await self._switch(worker, {"should_disconnect": True})

    async def _switch(self, worker: str, changes: Row) -> Worker:
        await self._storage.write(
            Batch((Update(WORKERS.name, (equal("identifier", worker),), changes, optional=True),))
        )
        return await self.get(worker)

    async def delete(self, worker: str, *, lose_runs: bool = False) -> None:
        """Conflict unless it is disabled, disconnected, and has no run that has not ended.

        `lose_runs` allows such runs: a master finds that their worker has no record, and gives them up.
        """
        found = await self.get(worker)
        active = await count_on(self._storage, unfinished_of(worker))
        if found.is_enabled:
            raise Conflict(f"Worker {worker!r} is enabled; disable it first.")
        if found.is_connected:
            raise Conflict(f"Worker {worker!r} is connected; stop or disconnect it first.")
        if active and not lose_runs:
            raise Conflict(_has_runs(worker, active))
        where = (equal("identifier", worker), equal("is_enabled", False), equal("is_connected", False))
        outcome = await self._storage.write(Batch((Delete(WORKERS.name, where),)))
        if outcome.rows == (0,):
            raise Contended(f"Worker {worker!r}")


def _has_runs(worker: str, active: int) -> str:
    runs = f"{active} {'run' if active == 1 else 'runs'} that {'has' if active == 1 else 'have'} not ended"
    return (
        f"Worker {worker!r} has {runs}. If it will never come back, delete it with lose_runs=true "
        f"(orchestra worker delete {worker} --lose-runs): they end as exceptions or are retried, as their jobs say."
    )


def still_away(worker: Worker) -> Update:
    """Fails the batch that it is put into unless the worker is away since the moment that this record names."""
    where = (
        equal("identifier", worker.identifier),
        equal("is_connected", False),
        equal("disconnected_at", optional_microseconds(worker.disconnected_at)),
    )
    return Update(WORKERS.name, where, {"is_connected": False})


def still_connected(worker: Worker) -> Update:
    """Fails the batch that it is put into unless this connection of the worker is its present one."""
    where = (
        equal("identifier", worker.identifier),
        equal("instance", worker.instance),
        equal("master", worker.master),
        equal("connected_at", optional_microseconds(worker.connected_at)),
        equal("is_connected", True),
    )
    return Update(WORKERS.name, where, {"is_connected": True})


def check_holder(known: Worker, owner: str, instance: str) -> None:
    """Conflict, naming the holder, if that instance of that owner may not take the worker's name."""
    if known.owner != owner:
        raise Conflict(f"Worker {known.identifier!r} belongs to user {known.owner!r}, not to {owner!r}.")
    if known.is_connected and known.instance != instance:
        host = known.description.properties.get("host")
        where = f", on host {host}" if isinstance(host, str) else ""
        raise Conflict(
            f"Worker {known.identifier!r} is connected already, as instance {known.instance}{where}, "
            f"to master {known.master!r} since {known.connected_at:%Y-%m-%d %H:%M:%S} UTC."
        )
