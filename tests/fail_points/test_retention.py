"""A master that is killed while it removes runs: the next one finishes that, and nothing of them is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.fail_points import FailPoint
from job_orchestra.repositories.rows.events import event_to_row
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogKey, LogPiece
from job_orchestra.storage.port import Batch, Count, Insert, Storage
from job_orchestra.storage.schema import EVENTS, REMOVALS, RUNS
from tests.fail_points.applications import DATABASE, Applications, until
from tests.repositories.history import past_run, store

_RUNS = 3


@pytest.mark.parametrize("point", [FailPoint.MASTER_ROWS_REMOVED, FailPoint.MASTER_LOGS_REMOVED], ids=str)
def test_what_a_death_while_runs_are_removed_comes_to(point: FailPoint, template: Path, tmp_path: Path) -> None:
    applications = Applications(tmp_path / "installation", template)
    with (applications.installation.directory / "orchestra.toml").open("a") as settings:
        settings.write("\n[storage]\nretention_days = 1\n")
    _fill(applications)
    assert _left(applications) == {RUNS.name: _RUNS + 1, EVENTS.name: _RUNS}
    try:
        applications.start("master", point)
        until(lambda: applications.has_reached("master", point), "the master dies")
        assert _left(applications) == {RUNS.name: 1, EVENTS.name: _RUNS, REMOVALS.name: _RUNS}
        applications.restart("master")
        until(lambda: "removal of 3 runs, which had been interrupted" in applications.said("master"), "it goes on")
        assert _left(applications) == {RUNS.name: 1}
        assert [path for path in applications.logs.rglob("*") if path.is_file()] == []
    finally:
        applications.end_all()


def _fill(applications: Applications) -> None:
    """Old runs, and one that is pinned."""

    async def fill(storage: Storage) -> None:
        old = datetime.now(UTC) - timedelta(days=3)
        pinned = past_run(old, job="work", project="example", is_pinned=True, number=_RUNS)
        runs = [past_run(old, job="work", project="example", number=number) for number in range(_RUNS)]
        await store(storage, [pinned, *runs])
        events = (event_to_row(run.identifier, 1, EventRecord(1, "started", 0, {})) for run in runs)
        await storage.write(Batch(tuple(Insert(EVENTS.name, event) for event in events)))
        logs = open_log_store(applications.logs)
        await logs.append([LogPiece(LogKey("example", run.identifier, 1), 0, b"log") for run in runs])
        await logs.close()

    _with_storage(applications, fill)


def _left(applications: Applications) -> dict[str, int]:
    """Rows, by collection."""
    left: dict[str, int] = {}

    async def count(storage: Storage) -> None:
        for collection in (RUNS, EVENTS, REMOVALS):
            if number := await storage.count(Count(collection.name)):
                left[collection.name] = number

    _with_storage(applications, count)
    return left


def _with_storage(applications: Applications, work: Callable[[Storage], Awaitable[None]]) -> None:
    async def main() -> None:
        storage = open_storage(f"sqlite:///{applications.installation.directory / DATABASE}")
        try:
            await work(storage)
        finally:
            await storage.close()

    asyncio.run(main())
