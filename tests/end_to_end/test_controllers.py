"""A run that triggers others, with its own token, through the client and the command line."""

from __future__ import annotations

from pathlib import Path

from job_orchestra.client.calls import jobs, runs
from job_orchestra.client.credentials import Credentials
from job_orchestra.client.synchronous import Client
from tests.end_to_end import binding
from tests.end_to_end.installation import Installation, wait_until

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


def test_runs_are_aborted_with_the_run_that_triggered_them(tmp_path: Path) -> None:
    """By a user, and by a time limit; those that were triggered for themselves are not."""
    installation = Installation(tmp_path / "installation", "sqlite:///orchestra.db")
    (installation.directory / "projects.py").write_text(binding.PROJECTS)
    assert installation.orchestra("database", "create").returncode == 0
    worker_access = {
        "ORCHESTRA_WORKER_USER": "builder",
        "ORCHESTRA_WORKER_TOKEN": installation.new_token("builder", "worker"),
    }
    user = {"ORCHESTRA_USER": "ada", "ORCHESTRA_TOKEN": installation.new_token("ada", "operator")}
    client = Client(installation.service_url, Credentials(user["ORCHESTRA_TOKEN"], "ada"))
    with (
        installation.started("master") as master,
        installation.started("service") as service,
        installation.started("worker", environment=worker_access),
    ):
        master.wait_for("master: ready")
        service.wait_for("service: ready")
        refused = installation.orchestra("trigger", "example", "nowhere", "--abort-with-run", environment=user)
        assert refused.returncode == 64
        assert "abort_with_run: needs the token of a run" in refused.stderr
        asked, limited = [client.send(jobs.trigger("example", job)).identifier for job in ("waits", "takes-long")]
        wait_until(lambda: binding.are_there(client, asked))
        child = binding.children_of(client, asked)[0].identifier
        shown = installation.orchestra("run", "show", "example", child, environment=user).stdout
        assert f"run {asked}, with which it is aborted" in shown
        client.send(runs.abort("example", asked))
        for parent, code in ((asked, "abort_requested"), (limited, "time_limit")):
            wait_until(lambda run=parent: client.send(runs.get("example", run)).status == "aborted")  # type: ignore[misc]
            reason = client.send(runs.get("example", parent)).reason
            assert reason is not None
            assert reason.code == code
            first = binding.children_of(client, parent)[0].identifier
            wait_until(lambda run=first: client.send(runs.get("example", run)).status == "aborted")  # type: ignore[misc]
            binding.check_what_became_of(binding.children_of(client, parent), parent)
