"""A master that is killed while it passes an abort on: the next one stops all that were to stop, and ends the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_orchestra.client.calls import jobs, runs
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.fail_points import FailPoint
from tests.end_to_end.binding import PROJECT, PROJECTS, are_there, check_what_became_of, children_of
from tests.fail_points.applications import NAMES, Applications, until


@pytest.mark.parametrize("point", [FailPoint.MASTER_DOOR_CLOSED, FailPoint.MASTER_ABORT_PASSED_ON])
def test_what_a_death_before_the_end_of_a_run_comes_to(point: FailPoint, template: Path, tmp_path: Path) -> None:
    applications = Applications(tmp_path / "installation", template)
    (applications.installation.directory / "projects.py").write_text(PROJECTS)
    try:
        for name in NAMES:
            applications.start(name, point if name == "master" else "")
        for name in NAMES:
            applications.wait_until_ready(name)
        client = applications.client
        parent = client.send(jobs.trigger(PROJECT, "writes")).identifier
        until(lambda: applications.has_reached("master", point), "the master dies")
        assert are_there(client, parent)
        run = client.send(runs.get(PROJECT, parent))
        assert (run.status, run.should_abort, run.wished_by) == ("running", True, f"worker {run.worker}")
        is_passed_on = point is FailPoint.MASTER_ABORT_PASSED_ON
        endless = client.send(runs.get(PROJECT, children_of(client, parent)[0].identifier))
        assert (endless.status, endless.should_abort) == ("running", is_passed_on)
        applications.restart("master")
        until(lambda: RunStatus(client.send(runs.get(PROJECT, parent)).status).is_terminal, "the run ends")
        reason = client.send(runs.get(PROJECT, parent)).reason
        assert reason is not None
        assert reason.code == "log_limit"
        until(
            lambda: sum(one.status == "pending" for one in children_of(client, parent)) == 1, "what waits is cancelled"
        )
        until(lambda: all(one.status != "running" for one in children_of(client, parent)), "what is executed ends")
        check_what_became_of(children_of(client, parent), parent)
    finally:
        applications.end_all()
