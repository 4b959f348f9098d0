"""Two masters over one PostgreSQL that are killed while a schedule ticks: no tick makes two runs, none is forgotten."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from job_orchestra.cli.host import records_of
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.ticks import SETTLED, Tick, TickState
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.settings.reading import load_settings
from tests.end_to_end.installation import PATIENCE, Installation
from tests.end_to_end.ticking import let_it_tick
from tests.faults.applications import Application
from tests.faults.findings import Findings
from tests.faults.plan import Act
from tests.ports import free_port

_MASTERS = ("first", "second")
_SEED = 5
_KILLS = 8
_LONGEST_RUN = 2.0
_INTERVAL = 0.05
_SECOND = timedelta(seconds=1)


def test_no_tick_makes_two_runs_and_none_is_forgotten(postgresql_url: str, tmp_path: Path) -> None:
    print(f"seed {_SEED}")
    installation = Installation(tmp_path / "installation", postgresql_url)
    let_it_tick(installation.directory)
    asyncio.run(_storm(installation, random.Random(_SEED)))


async def _storm(installation: Installation, chance: random.Random) -> None:
    findings = Findings(print)
    masters = [_master(installation, name, findings) for name in _MASTERS]
    async with records_of(load_settings(installation.directory / "orchestra.toml", {}, must_exist=True)) as records:
        ending = asyncio.create_task(_end_runs(records, chance))
        try:
            for master in masters:
                await master.start()
            for master in masters:
                await master.wait_until_ready()
            for _ in range(_KILLS):
                await asyncio.sleep(chance.random())
                await chance.choice(masters).suffer(Act.KILL, chance.random())
            await _until_decided(records, records.clock.now())
        finally:
            for master in masters:
                await master.end(signal.SIGTERM)
            ending.cancel()
        assert not findings.sentences
        _audit(await _ticks(records), await _runs(records))


def _master(installation: Installation, name: str, findings: Findings) -> Application:
    environment = {"ORCHESTRA_MASTER_IDENTIFIER": name, "ORCHESTRA_MASTER_PORT": str(free_port())}
    command = installation.command("master")
    return Application(name, command, installation.directory, installation.environment(environment), findings)


async def _end_runs(records: RecordsComposition, chance: random.Random) -> None:
    """Ends each run some time after it was triggered, in place of a worker."""
    queue = RunQueue(records.storage, records.clock)
    while True:
        for run in (await records.runs.list(RunFilter(statuses=(RunStatus.PENDING,)))).items:
            await asyncio.sleep(chance.random() * _LONGEST_RUN)
            await queue.cancel(run, Reason(ReasonCode.CANCEL_REQUESTED, "The test is through with it."))
        await asyncio.sleep(_INTERVAL)


async def _until_decided(records: RecordsComposition, moment: datetime) -> None:
    """Until whatever came due before is settled, however few masters are left."""
    async with asyncio.timeout(PATIENCE):
        while True:
            ticks = await _ticks(records)
            if ticks and ticks[-1].due > moment and all(tick.state in SETTLED for tick in ticks):
                return
            await asyncio.sleep(_INTERVAL)


async def _ticks(records: RecordsComposition) -> Sequence[Tick]:
    return (await records.ticks.list("example", "each-second", limit=1000, newest_first=False)).items


async def _runs(records: RecordsComposition) -> Sequence[Run]:
    """In the order of their triggers."""
    return (await records.runs.list(RunFilter(source_kind=SourceKind.SCHEDULE), limit=1000, newest_first=False)).items


def _audit(ticks: Sequence[Tick], runs: Sequence[Run]) -> None:
    assert [tick.due for tick in ticks] == [ticks[0].due + number * _SECOND for number in range(len(ticks))]
    assert [tick.number for tick in ticks] == list(range(1, len(ticks) + 1))
    assert [tick.run for tick in ticks if tick.state is TickState.TRIGGERED] == [run.identifier for run in runs]
    assert all(tick.detail for tick in ticks if tick.state is not TickState.TRIGGERED)
    for run, following in pairwise(runs):
        assert run.ended_at is not None
        assert run.ended_at <= following.created_at, "two runs at a time"
