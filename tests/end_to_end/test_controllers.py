"""A run that triggers others, with its own token, through the client and the command line."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.installation import Installation

PROJECTS = """
import sys
from job_orchestra import Job, Parameter, Project

CHILD = '''
import sys
from job_orchestra.client.inside import save_results
save_results(dict(text=sys.argv[1]))
sys.exit(sys.argv[1] == "fails")
'''

projects = [Project("p", jobs=[
    Job("controller", commands=[[sys.executable, "CONTROLLER"]], token=True, workspace="run"),
    Job("child", commands=[[sys.executable, "-c", CHILD, "{parameters[text]}"]], parameters=[Parameter("text")]),
    Job("endless", commands=[["sleep", "1000"]]),
    Job("curious", commands=[["echo", "{environment[ORCHESTRA_TOKEN]}"]], token=True),
    Job("without", commands=[[sys.executable, "-c", "import os; print('ORCHESTRA_TOKEN' in os.environ)"]]),
])]
"""


def test_a_run_controls_others(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation", "sqlite:///orchestra.db")
    controller = Path(__file__).with_name("controller.py")
    (installation.directory / "projects.py").write_text(PROJECTS.replace("CONTROLLER", str(controller)))
    assert installation.orchestra("database", "create").returncode == 0
    worker_access = {
        "ORCHESTRA_WORKER_USER": "builder",
        "ORCHESTRA_WORKER_TOKEN": installation.new_token("builder", "worker"),
        "ORCHESTRA_WORKER_EXECUTOR_LIMIT": "4",
    }
    user = {"ORCHESTRA_USER": "ada", "ORCHESTRA_TOKEN": installation.new_token("ada", "operator")}
    with (
        installation.started("master") as master,
        installation.started("service") as service,
        installation.started("worker", environment=worker_access),
    ):
        master.wait_for("master: ready")
        service.wait_for("service: ready")
        done = installation.orchestra("trigger", "p", "controller", "--wait", "--output", "json", environment=user)
        assert done.returncode == 0, done.stdout + done.stderr
        run = installation.json("run", "list", "p", "--job", "controller", environment=user)["items"][0]["identifier"]
        results = installation.json("run", "results", "p", run, environment=user)
        assert results.pop("endless") in {"aborted", "cancelled"}
        assert results == {
            "is_same": True,
            "child": ["succeeded", {"text": "one"}],
            "failing": 1,
            "is_token_there": True,
        }
        children = installation.json(
            "run", "list", "p", "--source", "run", "--source-identifier", run, environment=user
        )["items"]
        assert sorted(child["job"] for child in children) == ["child", "child", "endless"]
        # A token is no part of a command, which would be logged, and nobody has one who did not ask.
        curious = installation.orchestra("trigger", "p", "curious", "--wait", environment=user)
        assert curious.returncode == 3
        without = installation.orchestra("trigger", "p", "without", "--follow", environment=user)
        assert "\nFalse\n" in without.stdout
