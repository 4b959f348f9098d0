"""Which of several masters holds a worker's connection, when one never comes back, or is silent for too long."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.master.holds import INTERVAL, LEASE, Holds
from job_orchestra.master.outage import Outage
from job_orchestra.protocol.messages import Goodbye, Hello
from tests.connecting import connect_worker
from tests.master.peers import fresh_database, surroundings
from tests.repositories.records import Records, play

_TICK = INTERVAL.total_seconds()
_LEASE_IN_TICKS = int(LEASE / INTERVAL)


def holds(records: Records, master: str, *held: str) -> Holds:
    return Holds(master, records.workers, lambda: held, Outage(), records.clock)


async def connect(records: Records, master: str, instance: str) -> None:
    await connect_worker(records.workers, "w", "me", instance, WorkerDescription("1"), 0.0, master)


def test_a_worker_is_free_again_whose_master_never_comes_back(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await connect(records, "dead", "one")
        survivor = holds(records, "alive")
        for _ in range(_LEASE_IN_TICKS):
            await survivor.look()
            with pytest.raises(Conflict, match="to master 'dead'"):
                await connect(records, "alive", "two")
            records.clock.advance(_TICK + 0.1)
        await survivor.look()
        worker = await records.workers.get("w")
        assert (worker.is_connected, worker.disconnected_at) == (False, records.clock.date)
        await connect(records, "alive", "two")

    play(database_url, scenario)


def test_a_master_that_says_so_keeps_its_workers(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await connect(records, "first", "one")
        masters = [holds(records, "first", "w"), holds(records, "second")]
        for _ in range(5 * _LEASE_IN_TICKS):
            for one in masters:
                await one.look()
            records.clock.advance(_TICK)
        assert (await records.workers.get("w")).is_connected

    play(database_url, scenario)


def test_a_record_that_outlived_the_masters_earlier_life_is_freed(database_url: str) -> None:
    """What a dying master had still sent was committed when the next one had looked for connections of before."""

    async def scenario(records: Records) -> None:
        master = holds(records, "m")
        await connect(records, "m", "one")
        for _ in range(_LEASE_IN_TICKS + 1):
            await master.look()
            records.clock.advance(_TICK + 0.1)
        await master.look()
        await connect(records, "m", "two")

    play(database_url, scenario)


def test_after_an_outage_for_all_masters_none_takes_another_for_gone(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await connect(records, "first", "one")
        first, second = holds(records, "first", "w"), holds(records, "second")
        for _ in range(2 * _LEASE_IN_TICKS):
            await first.look()
            await second.look()
            records.clock.advance(_TICK)
        records.clock.advance(10 * LEASE.total_seconds())
        await second.look()
        assert (await records.workers.get("w")).is_connected
        await first.look()
        for _ in range(2 * _LEASE_IN_TICKS):
            records.clock.advance(_TICK)
            await first.look()
            await second.look()
        assert (await records.workers.get("w")).is_connected

    play(database_url, scenario)


def test_a_master_that_was_taken_for_gone_lets_the_worker_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with surroundings(fresh_database(tmp_path), tmp_path) as parts, parts.serving():
            async with parts.worker() as (worker, _):
                freed = await parts.workers.free_abandoned(parts.clock.now() + LEASE)
                assert freed == ["w"]
                assert (await worker.hear(Goodbye)).code == "replaced"
            async with parts.worker(instance="two"):
                assert (await parts.workers.get("w")).is_connected

    asyncio.run(scenario())


def test_a_worker_that_is_refused_after_all_is_not_left_connected(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with surroundings(fresh_database(tmp_path), tmp_path) as parts, parts.serving():
            async with parts.bare_worker() as worker:
                await worker.greet(protocol=99)
                assert (await worker.hear(Goodbye)).code == "violation"
                await worker.wait_for_end()
            assert not (await parts.workers.get("w")).is_connected

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("identifier", "../w"), ("identifier", ""), ("identifier", "w\0"), ("identifier", "x" * 65),
        ("version", "\0"), ("instance", ""), ("boot", "x" * 201), ("display_name", "a\nb"),
        ("executor_limit", 0), ("executor_limit", -(1 << 63)), ("executor_limit", (1 << 64) - 1),
        ("date", float("nan")), ("date", float("inf")), ("date", -1.0),
        ("properties", {"a": b"bytes"}), ("properties", {"a": "\0"}), ("properties", {"a": float("nan")}),
    ],
)  # fmt: skip
def test_a_hello_that_says_what_cannot_be_is_refused_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, field: str, value: object
) -> None:
    said = {"protocol": 1, "version": "1", "identifier": "w", "instance": "i", "boot": "b", "display_name": ""}
    said |= {"executor_limit": 1, "properties": {}, "date": 0.0, "runs": (), field: value}

    async def scenario() -> None:
        async with surroundings(fresh_database(tmp_path), tmp_path) as parts, parts.serving():
            async with parts.bare_worker() as worker:
                await worker.say(Hello(**said))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
                goodbye = await worker.hear(Goodbye)
                assert goodbye.code == "violation"
                assert field in goodbye.message or "called" in goodbye.message
                await worker.wait_for_end()
            assert await parts.workers.all() == []

    asyncio.run(scenario())
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
