"""What is promised of runs that are bound to the one that triggered them, checked when it could be broken."""

from __future__ import annotations

import json

from job_orchestra.domain.bound_runs import wisher
from job_orchestra.domain.job_data import run_request_from_data
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.storage.schema import RUNS
from tests.simulation.memory_storage import MemoryDatabase, Stored
from tests.simulation.world import World


class BoundPromises:
    def __init__(self, world: World, database: MemoryDatabase) -> None:
        self._world = world
        self._database = database

    def on_new_run(self, row: Stored) -> None:
        """It comes through an open door."""
        name, parent = row["identifier"], self._parent_of(row)
        self._world.say("database", f"{name} is bound to {parent['identifier']}")
        is_open = not RunStatus(parent["status"]).is_terminal and not parent["should_abort"]
        self._world.require(is_open, f"bound runs: {name} is bound to {parent['identifier']}, which is over or to be")

    def on_wish(self, row: Stored) -> None:
        """A run asks for nothing that is not asked of itself."""
        if not is_bound(row) or row["wished_by"] != wisher(row["source_identifier"]):
            return
        is_asked = self._parent_of(row)["should_abort"]
        self._world.require(is_asked, f"bound runs: {row['identifier']} is to stop, and its source goes on")

    def on_end(self, row: Stored) -> None:
        """Nothing that is bound to a run which was stopped has still to be asked."""
        if row["status"] not in (RunStatus.ABORTED, RunStatus.CANCELLED):
            return
        left = [one["identifier"] for one in self._bound_to(row["identifier"]) if not _is_stopped(one)]
        self._world.require(not left, f"bound runs: {row['identifier']} is {row['status']}, and {left} go on")

    def _parent_of(self, row: Stored) -> Stored:
        return self._database.table(RUNS.name).rows[row["source_identifier"],]

    def _bound_to(self, parent: str) -> list[Stored]:
        rows = self._database.table(RUNS.name).rows.values()
        return [row for row in rows if row["source_identifier"] == parent and is_bound(row)]


def is_bound(row: Stored) -> bool:
    return run_request_from_data(json.loads(row["request"])).abort_with_run


def _is_stopped(row: Stored) -> bool:
    return row["should_abort"] or RunStatus(row["status"]).is_terminal
