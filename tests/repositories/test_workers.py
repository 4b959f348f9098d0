from __future__ import annotations

import asyncio

import pytest

from job_orchestra.domain.errors import Conflict, NotFound
from job_orchestra.domain.workers import Worker, WorkerDescription
from tests.connecting import connect_worker
from tests.repositories.records import Records, play

_DESCRIPTION = WorkerDescription("1.0", "The Worker", 4, {"operating_system": "linux", "tags": ["a", 1, True]})


async def _connect(records: Records, owner: str = "me", instance: str = "i", master: str = "m") -> Worker:
    return await connect_worker(records.workers, "w", owner, instance, _DESCRIPTION, 0.25, master)


def test_a_worker_registers_itself_and_connects_again(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        worker = await _connect(records)
        assert worker == await records.workers.get("w")
        assert worker.description == _DESCRIPTION
        assert (worker.is_connected, worker.is_enabled, worker.skew, worker.master) == (True, True, 0.25, "m")
        await records.workers.set_enabled("w", False)
        records.clock.advance(10)
        again = await _connect(records)
        assert again.registered_at == worker.registered_at
        assert (again.connected_at, again.is_enabled) == (records.clock.date, False)

    play(database_url, scenario)


def test_another_instance_or_owner_is_refused_by_name(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _connect(records)
        with pytest.raises(Conflict, match="instance i, to master 'm' since"):
            await _connect(records, instance="j")
        with pytest.raises(Conflict, match="belongs to user 'me'"):
            await _connect(records, owner="you")
        await records.workers.disconnect(await records.workers.get("w"))
        assert (await _connect(records, instance="j")).instance == "j"

    play(database_url, scenario)


def test_of_two_new_instances_at_once_one_is_refused(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        outcomes = await asyncio.gather(
            *(_connect(records, instance=name) for name in ("a", "b")), return_exceptions=True
        )
        assert {type(one) for one in outcomes} == {Conflict, Worker}

    play(database_url, scenario)


def test_of_two_other_instances_at_once_one_is_refused(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await records.workers.disconnect(await _connect(records))
        outcomes = await asyncio.gather(
            *(_connect(records, instance=name) for name in ("a", "b")), return_exceptions=True
        )
        assert {type(one) for one in outcomes} == {Conflict, Worker}

    play(database_url, scenario)


def test_an_old_connection_does_not_disconnect_a_newer_one(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        first = await _connect(records)
        records.clock.advance(1)
        await _connect(records)
        await records.workers.disconnect(first)
        assert (await records.workers.get("w")).is_connected
        await _connect(records, master="other")
        await records.workers.disconnect(first)
        await records.workers.disconnect_all("m")
        assert (await records.workers.get("w")).is_connected
        await records.workers.disconnect_all("other")
        worker = await records.workers.get("w")
        assert (worker.is_connected, worker.disconnected_at) == (False, records.clock.date)

    play(database_url, scenario)


def test_switches(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _connect(records)
        assert (await records.workers.set_drain("w")).should_drain
        assert not (await records.workers.set_enabled("w", True)).should_drain
        assert (await records.workers.set_disconnect("w")).should_disconnect
        assert not (await _connect(records)).should_disconnect
        with pytest.raises(NotFound):
            await records.workers.set_drain("nope")

    play(database_url, scenario)


def test_deleting_needs_it_disabled_idle_and_gone(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _connect(records)
        with pytest.raises(Conflict, match="disable it first"):
            await records.workers.delete("w")
        await records.workers.set_enabled("w", False)
        with pytest.raises(Conflict, match="stop or disconnect it first"):
            await records.workers.delete("w")
        assigned = await records.queue.assign(await records.trigger(), "w")
        assert assigned is not None
        with pytest.raises(Conflict, match="stop or disconnect it first"):
            await records.workers.delete("w", lose_runs=True)
        await records.workers.disconnect(await records.workers.get("w"))
        with pytest.raises(Conflict, match=r"has 1 run that has not ended.*orchestra worker delete w --lose-runs"):
            await records.workers.delete("w")
        await records.queue.unassign(assigned)
        await records.workers.delete("w")
        assert await records.workers.all() == []

    play(database_url, scenario)


def test_deleting_one_with_its_runs_leaves_them_to_the_master(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _connect(records)
        assigned = await records.queue.assign(await records.trigger(), "w")
        assert assigned is not None
        await records.workers.disconnect_all("m")
        with pytest.raises(Conflict, match="disable it first"):
            await records.workers.delete("w", lose_runs=True)
        await records.workers.set_enabled("w", False)
        await records.workers.delete("w", lose_runs=True)
        assert await records.workers.all() == []
        assert await records.queue.load(assigned.identifier) == assigned

    play(database_url, scenario)


def test_those_of_some_names(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _connect(records)
        assert [one.identifier for one in await records.workers.load_many(["nope", "w", "w"])] == ["w"]
        assert await records.workers.load_many([]) == []

    play(database_url, scenario)
