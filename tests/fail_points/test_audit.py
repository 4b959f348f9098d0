"""A service that is killed behind a commit, before it answers: whatever it has changed is in the audit trail."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from job_orchestra.client.calls import jobs
from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.audit import AuditEntry, AuditOutcome
from job_orchestra.domain.errors import Unavailable
from job_orchestra.fail_points import FailPoint
from job_orchestra.repositories.audit import Audit, AuditFilter
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.runs import Runs
from tests.fail_points.applications import DATABASE, Applications, until
from tests.repositories.records import ManualClock


def test_a_trigger_that_was_not_answered_has_its_entry(template: Path, tmp_path: Path) -> None:
    applications = Applications(tmp_path / "installation", template)
    try:
        applications.start("master")
        applications.start("service", FailPoint.SERVICE_TRIGGER_COMMITTED)
        for name in ("master", "service"):
            applications.wait_until_ready(name)
        with pytest.raises(Unavailable):
            applications.client.send(jobs.trigger("example", "work", {"tally": "x"}))
        until(lambda: applications.has_reached("service", FailPoint.SERVICE_TRIGGER_COMMITTED), "the service dies")
    finally:
        applications.end_all()
    runs, entries = asyncio.run(_stored(applications.installation.directory / DATABASE))
    assert [(one.user, one.action, one.outcome, one.details["made"]) for one in entries] == [
        ("ada", "job.trigger", AuditOutcome.DONE, {"run": run}) for run in runs
    ]
    assert len(runs) == 1


async def _stored(database: Path) -> tuple[list[str], list[AuditEntry]]:
    storage = open_storage(f"sqlite:///{database}")
    try:
        runs = await Runs(storage, ManualClock()).list(RunFilter())
        entries = await Audit(storage).list(AuditFilter(user="ada"))
    finally:
        await storage.close()
    return [run.identifier for run in runs.items], entries.items
