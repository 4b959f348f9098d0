"""A master that was stopped and does late what was overtaken: it changes nothing of what another one has stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from job_orchestra.domain.statuses import RunStatus
from job_orchestra.master.intake import log_key
from job_orchestra.protocol.messages import Acknowledged, Execute, Release, RunOnDisk
from job_orchestra.storage.log_port import LogPiece, LogStore
from tests.master.peers import Surroundings, ended, events, fresh_database, log, started, surroundings


class StoppedAt:
    """The next append waits, as if its process had been stopped just before."""

    def __init__(self, log_store: LogStore) -> None:
        self._append = log_store.append
        self.is_reached = asyncio.Event()
        self.may_go_on = asyncio.Event()
        log_store.append = self.append  # type: ignore[method-assign]

    async def append(self, pieces: Sequence[LogPiece]) -> None:
        self.is_reached.set()
        await self.may_go_on.wait()
        await self._append(pieces)


def test_the_log_of_a_run_that_ended_elsewhere_stays_as_it_ended(tmp_path: Path) -> None:
    """The worker has cut what was above the limit; the late master would store that behind the verified end."""

    async def scenario() -> None:
        url = fresh_database(tmp_path)
        async with surroundings(url, tmp_path) as late, late.serving():
            run = await late.trigger()
            async with late.worker() as (worker, _):
                await worker.hear(Execute)
                await worker.say(log(run, 0, b"begun\n"), events(run, started()))
                await worker.hear(Acknowledged)
                stop = StoppedAt(late.log_store)
                await worker.say(log(run, 6, b"far too much\n" * 100))
                await stop.is_reached.wait()
                await end_elsewhere(url, tmp_path, late, RunOnDisk(run.identifier, 1, 2, 10))
                stop.may_go_on.set()
                await worker.wait_for_end()
            stored = await late.stored(run)
            assert stored.status is RunStatus.SUCCEEDED
            assert await late.log_store.read(log_key(stored), 0, 100) == b"begun\ncut\n"
            assert await late.log_store.sha256(log_key(stored)) == (stored.log.size, stored.log.sha256)

    asyncio.run(scenario())


async def end_elsewhere(url: str, directory: Path, late: Surroundings, on_disk: RunOnDisk) -> None:
    other = Surroundings(url, directory)
    other.identifier, other.token = "other", late.token
    try:
        async with other.serving(), other.worker(on_disk) as (worker, welcome):
            assert [one.log_size for one in welcome.resume] == [6]
            run = await other.queue.load(on_disk.run)
            assert run is not None
            await worker.say(log(run, 6, b"cut\n"), events(run, ended(2, b"begun\ncut\n")))
            await worker.hear(Release)
    finally:
        await other.storage.close()
        await other.log_store.close()
