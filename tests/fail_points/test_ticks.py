"""A master that is killed at a tick of a schedule: the next one makes its run, or finds it made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from job_orchestra.composition.clock import SystemClock
from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.ticks import Tick, TickState
from job_orchestra.fail_points import FailPoint
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.storage.port import Storage
from tests.end_to_end.ticking import let_it_tick
from tests.fail_points.applications import DATABASE, Applications, until


@pytest.mark.parametrize(
    ("point", "runs"), [(FailPoint.MASTER_TICK_COMMITTED, 0), (FailPoint.MASTER_TICK_TRIGGERED, 1)]
)
def test_what_a_death_at_a_tick_comes_to(point: FailPoint, runs: int, template: Path, tmp_path: Path) -> None:
    applications = Applications(tmp_path / "installation", template)
    let_it_tick(applications.installation.directory)
    try:
        applications.start("master", point)
        until(lambda: applications.has_reached("master", point), "the master dies")
        assert _first_tick(applications).state is TickState.DUE
        assert len(_runs(applications)) == runs
        applications.restart("master")
        until(lambda: _first_tick(applications).state is TickState.TRIGGERED, "the tick has its run")
        assert _runs(applications) == [_first_tick(applications).run]
    finally:
        applications.end_all()


def _first_tick(applications: Applications) -> Tick:
    found: list[Tick] = []

    async def look(storage: Storage) -> None:
        found.extend((await Ticks(storage).list("example", "each-second", limit=1, newest_first=False)).items)

    _with_storage(applications, look)
    return found[0]


def _runs(applications: Applications) -> list[str]:
    found: list[str] = []

    async def look(storage: Storage) -> None:
        found.extend(run.identifier for run in (await Runs(storage, SystemClock()).list()).items)

    _with_storage(applications, look)
    return found


def _with_storage(applications: Applications, work: Callable[[Storage], Awaitable[None]]) -> None:
    async def main() -> None:
        storage = open_storage(f"sqlite:///{applications.installation.directory / DATABASE}")
        try:
            await work(storage)
        finally:
            await storage.close()

    asyncio.run(main())
