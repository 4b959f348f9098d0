"""Attempts follow each other: each has its own log, and a run has ended only with the last of them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tests.end_to_end.installation import Installation, wait_until

PROJECTS = """
from job_orchestra import Element, Job, Pipeline, Project

UNSTEADY = 'echo "this is attempt $ORCHESTRA_ATTEMPT"; test "$ORCHESTRA_ATTEMPT" -ge %d'

projects = [Project("example", jobs=[
    Job("unsteady", commands=[["sh", "-c", UNSTEADY % 3]], retries=2),
    Job("hopeless", commands=[["sh", "-c", UNSTEADY % 9]], retries=1, retry_delay=0.2),
    Job("endless", commands=[["sh", "-c", "echo begun; sleep 1000"]], timeout=1, retries=1, retry_on=["time_limit"]),
    Job("patient", commands=[["false"]], retries=1, retry_delay=1000),
    Job("steady", commands=[["sh", "-c", UNSTEADY % 2]]),
    Pipeline("release", elements=[
        Element("build", job="steady", retries=1),
        Element("test", job="unsteady", after=["build"], retries=0, allow_failure=True),
    ]),
])]
"""


def _output(log: str) -> list[str]:
    """What commands printed, without what is told of them."""
    return [line for line in log.splitlines() if line.startswith("this is")]


def test_attempts_follow_each_other(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation", "sqlite:///orchestra.db")
    (installation.directory / "projects.py").write_text(PROJECTS)
    assert installation.orchestra("database", "create").returncode == 0
    here = {"ORCHESTRA_WORKER_USER": "builder", "ORCHESTRA_WORKER_TOKEN": installation.new_token("builder", "worker")}
    user = {"ORCHESTRA_USER": "ada", "ORCHESTRA_TOKEN": installation.new_token("ada", "operator")}
    with (
        installation.started("master"),
        installation.started("service") as service,
        installation.started("worker", environment=here) as worker,
    ):
        service.wait_for("service: ready")
        worker.wait_for("worker: ready")

        def follow(job: str) -> tuple[int, str, str]:
            done = installation.orchestra("trigger", "example", job, "--follow", environment=user)
            return done.returncode, done.stdout, done.stderr

        code, stdout, stderr = follow("unsteady")
        run = stdout.splitlines()[0]
        assert code == 0
        assert _output(stdout) == ["this is attempt 1", "this is attempt 2", "this is attempt 3"]
        assert "Attempt 1 failed: " in stderr
        assert "Attempt 3 follows." in stderr
        shown = installation.json("run", "show", "example", run, environment=user)
        assert (shown["status"], shown["attempt"], shown["retries"]) == ("succeeded", 3, 2)
        assert [(past["attempt"], past["status"]) for past in shown["past_attempts"]] == [(1, "failed"), (2, "failed")]
        for number in (1, 2, 3):
            log = installation.orchestra(
                "run", "log", "example", run, "--attempt", str(number), environment=user
            ).stdout
            assert _output(log) == [f"this is attempt {number}"]
        archive = tmp_path / "run.zip"
        installation.orchestra("run", "download", "example", run, "--file", str(archive), environment=user)
        with zipfile.ZipFile(archive) as file:
            names = [name.partition("/")[2] for name in file.namelist()]
            assert names == [
                "run.json", "results.json", "events.json", "log", "past-attempts/1/log", "past-attempts/2/log",
            ]  # fmt: skip
            events = json.loads(file.read(file.namelist()[2]))
        assert [event["attempt"] for event in events if event["kind"] == "ended"] == [1, 2, 3]
        check = installation.orchestra("database", "check", "--thorough")
        assert check.returncode == 0, check.stdout

        code, stdout, stderr = follow("hopeless")
        assert (code, len(_output(stdout))) == (1, 2)
        code, stdout, stderr = follow("endless")
        assert (code, stdout.splitlines().count("begun")) == (2, 2)
        assert "Attempt 1 aborted: " in stderr

        run = installation.trigger("patient", environment=user)
        wait_until(lambda: installation.json("run", "show", "example", run, environment=user)["attempt"] == 2)
        why = installation.json("run", "why", "example", run, environment=user)
        assert why["status"] == "pending"
        assert why["summary"].startswith("Attempt 1 failed at ")
        assert "Attempt 2 begins at " in why["summary"]
        assert installation.orchestra("run", "abort", "example", run, environment=user).returncode == 0
        wait_until(lambda: installation.json("run", "show", "example", run, environment=user)["ended_at"] is not None)
        ended = installation.json("run", "show", "example", run, environment=user)
        assert (ended["status"], ended["attempt"], len(ended["past_attempts"])) == ("cancelled", 2, 1)

        code, _, _ = follow("release")
        assert code == 0
        pipeline = installation.json("run", "list", "example", "--job", "release", environment=user)["items"][0]
        elements = installation.json("run", "elements", "example", pipeline["identifier"], environment=user)["items"]
        parts = {part["label"]: part for element in elements for part in element["parts"]}
        assert (parts["build"]["status"], parts["build"]["run"]["attempt"]) == ("succeeded", 2)
        assert (parts["test"]["status"], parts["test"]["run"]["attempt"]) == ("failed", 1)
