"""A worker is gone, its runs are not: the run is retried elsewhere, and the old attempt tells its end later."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from tests.end_to_end.installation import Installation, wait_until

PROJECTS = """
import sys
from job_orchestra import Job, Project

DEED = '''
import os, pathlib, time
tally = os.open("TALLY", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(tally, os.environ["ORCHESTRA_ATTEMPT"].encode())
print("attempt", os.environ["ORCHESTRA_ATTEMPT"], flush=True)
while not pathlib.Path("GATE").exists():
    time.sleep(0.01)
'''

projects = [Project("example", jobs=[
    Job("deed", commands=[[sys.executable, "-c", DEED]], workspace="run", on_lost="retry", lost_after=1),
])]
"""


def test_a_run_of_a_lost_worker_is_retried_and_the_old_attempt_reports_late(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation", "sqlite:///orchestra.db")
    tally, gate = tmp_path / "tally", tmp_path / "gate"
    projects = PROJECTS.replace("TALLY", str(tally)).replace("GATE", str(gate))
    (installation.directory / "projects.py").write_text(projects)
    assert installation.orchestra("database", "create").returncode == 0
    here = {"ORCHESTRA_WORKER_USER": "builder", "ORCHESTRA_WORKER_TOKEN": installation.new_token("builder", "worker")}
    there = {**here, "ORCHESTRA_WORKER_IDENTIFIER": "there", "ORCHESTRA_WORKER_DIRECTORY": "worker-there"}
    user = {"ORCHESTRA_USER": "ada", "ORCHESTRA_TOKEN": installation.new_token("ada", "operator")}
    with installation.started("master") as master, installation.started("service") as service:
        master.wait_for("master: ready")
        service.wait_for("service: ready")

        def shown(run: str) -> dict[str, Any]:
            answer: dict[str, Any] = installation.json("run", "show", "example", run, environment=user)
            return answer

        with installation.started("worker", environment=here) as worker:
            worker.wait_for("worker: ready")
            run = installation.trigger("deed", environment=user)
            wait_until(lambda: tally.exists() and tally.read_text() == "1")
            worker.stop(signal.SIGKILL)
        with installation.started("worker", environment=there):
            wait_until(lambda: tally.read_text() == "12")
            with installation.started("worker", environment=here):
                wait_until(lambda: bool(late := shown(run)["late_reports"]) and late[0]["ended_at"] is not None)
                gate.touch()
                wait_until(lambda: shown(run)["ended_at"] is not None)
            done = shown(run)
    (late,) = done["late_reports"]
    assert (done["status"], done["attempt"], done["worker"]) == ("succeeded", 2, "there")
    assert (late["status"], late["attempt"], late["worker"]) == ("aborted", 1, "here")
    assert tally.read_text() == "12"
