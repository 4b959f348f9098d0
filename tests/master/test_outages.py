"""The master while the database or the disk of the logs cannot be used: it waits, says so, and goes on."""

from __future__ import annotations

import asyncio
import logging
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.messages import Acknowledged, Execute, Goodbye, Release, RunOnDisk, Welcome
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.storage.log_port import LogKey
from tests.master.peers import (
    DEADLINE,
    Surroundings,
    WorkerPeer,
    ended,
    events,
    fresh_database,
    log,
    started,
    surroundings,
)
from tests.small_disk import small_disk
from tests.storage.pulses import HeldPulse


async def readiness(port: int) -> tuple[int, str]:
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=DEADLINE) as client:
        alive = await client.get(f"http://127.0.0.1:{port}/health")
        assert alive.status_code == 200
        ready = await client.get(f"http://127.0.0.1:{port}/ready")
    assert ready.headers["Content-Type"] == "application/json"
    assert ("Retry-After" in ready.headers) == (ready.status_code == 503)
    answer = ready.json()
    assert answer["status"] == ("ready" if ready.status_code == 200 else "unavailable")
    return ready.status_code, " ".join(answer.get("waiting_for", []))


async def wait_until_unready(port: int) -> str:
    async with asyncio.timeout(DEADLINE):
        while (found := await readiness(port))[0] == 200:
            await asyncio.sleep(0)
    return found[1]


async def running(parts: Surroundings, worker: WorkerPeer, written: bytes = b"") -> Run:
    run = await parts.trigger()
    await worker.hear(Execute)
    await worker.say(log(run, 0, written), events(run, started()))
    assert await worker.hear(Acknowledged) == Acknowledged(run.identifier, 1, 1, len(written))
    return run


def key(run: Run) -> LogKey:
    return LogKey("p", run.identifier, 1)


def test_a_master_that_is_told_to_stop_does_not_wait_for_a_database_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        parts = Surroundings(f"sqlite:///{tmp_path}/orchestra.db", tmp_path)
        stop = asyncio.Event()
        task = asyncio.create_task(parts.master().run(stop, lambda _: None))
        await asyncio.sleep(0)
        stop.set()
        await asyncio.wait_for(task, DEADLINE)
        await parts.storage.close()
        await parts.log_store.close()

    asyncio.run(scenario())


def test_a_full_disk_of_the_logs_delays_and_harms_nothing(tmp_path: Path) -> None:
    url = fresh_database(tmp_path)
    rest = b"".join(b"line %d\n" % number for number in range(20_000))

    async def scenario() -> None:
        async with surroundings(url, disk.path) as parts, parts.serving(), parts.worker() as (worker, _):
            run = await running(parts, worker, b"first\n")
            disk.fill()
            disk.make_room(8192)
            await worker.say(log(run, 6, rest), events(run, ended(2, b"first\n" + rest)))
            assert "No space left on device" in await wait_until_unready(parts.port)
            # A part of it fitted onto the disk, and does not count.
            assert await parts.log_store.read(key(run), 0, 1 << 20) == b"first\n"
            assert (await parts.stored(run)).status is RunStatus.RUNNING
            assert not any(isinstance(message, Acknowledged | Release) for message in worker.unread)
            disk.make_room()
            await worker.hear(Release)
            assert await parts.log_store.sha256(key(run)) == (6 + len(rest), sha256(b"first\n" + rest).hexdigest())
            assert (await parts.stored(run)).status is RunStatus.SUCCEEDED
            assert await readiness(parts.port) == (200, "")

    with small_disk(tmp_path / "disk", "1m") as disk:
        asyncio.run(scenario())


def test_a_worker_that_comes_again_in_an_outage_is_put_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = fresh_database(tmp_path)

    async def scenario() -> None:
        async with surroundings(url, tmp_path) as parts, parts.serving():
            async with parts.worker() as (worker, _):
                run = await running(parts, worker)
                hide(tmp_path)
                await worker.say(log(run, 0, b"second\n"))
                await wait_until_unready(parts.port)
            on_disk = RunOnDisk(run.identifier, 1, 1, 7)
            async with parts.bare_worker() as again:
                await again.greet(on_disk)
                goodbye = await again.hear(Goodbye)
                assert goodbye.code == "unavailable"
                assert not goodbye.is_final
            show(tmp_path)
            async with asyncio.timeout(DEADLINE):
                while (await readiness(parts.port))[0] != 200:
                    await asyncio.sleep(0)
            async with parts.bare_worker() as again:
                await again.greet(on_disk)
                (resume,) = (await again.hear(Welcome)).resume
                assert resume.log_size == 7

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert caplog.records == []


def test_a_master_stops_in_the_middle_of_an_outage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = fresh_database(tmp_path)

    async def scenario() -> None:
        async with surroundings(url, tmp_path) as parts:
            async with parts.serving(), parts.worker() as (worker, _):
                run = await running(parts, worker)
                hide(tmp_path)
                await worker.say(log(run, 0, b"second\n"), events(run, ended(2, b"second\n")))
                await wait_until_unready(parts.port)
            show(tmp_path)
            async with parts.serving(), parts.worker(RunOnDisk(run.identifier, 1, 2, 7)) as (worker, welcome):
                assert (welcome.resume[0].sequence, welcome.resume[0].log_size) == (1, 0)
                await worker.say(log(run, 0, b"second\n"), events(run, ended(2, b"second\n")))
                await worker.hear(Release)

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert caplog.records == []


def hide(directory: Path) -> None:
    """There is no folder of the logs, and none can be made."""
    (directory / "logs").touch()


def show(directory: Path) -> None:
    (directory / "logs").unlink()


def test_a_disk_of_the_logs_that_hangs_is_told_until_it_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        pulse = HeldPulse()
        async with surroundings(fresh_database(tmp_path), tmp_path) as parts:
            parts.log_disk_watch = LogDiskWatch(pulse, patience=0.01)
            async with parts.serving(), parts.worker() as (worker, _):
                reason = await wait_until_unready(parts.port)
                assert reason.startswith("The disk of the log files in /srv/logs has not answered for ")
                await running(parts, worker)  # whoever needs no log is not kept from anything
                pulse.is_released.set()
                async with asyncio.timeout(DEADLINE):
                    while (await readiness(parts.port))[0] != 200:
                        await asyncio.sleep(0)

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert [record.getMessage() for record in caplog.records if "/srv/logs" in record.getMessage()] == [
        "Waiting for the logs: The disk of the log files in /srv/logs has not answered for 0 seconds."
    ]
