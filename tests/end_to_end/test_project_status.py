"""From a push to the status of the project: a job checks the revision out, and the table knows its run."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.installation import Installation
from tests.git_source import GitSource

_PROJECTS = """
from job_orchestra import Job, Parameter, Project, Repository, checkout

SOURCE = {source!r}

projects = [
    Project("example", repository=Repository(SOURCE, branch="main"), jobs=[
        Job("build", parameters=[Parameter("revision", default=""), Parameter("branch", default="")], commands=[
            checkout(SOURCE, revision="{{parameters[revision]}}", branch="{{parameters[branch]}}"),
            ["sh", "./build.sh"],
        ]),
    ]),
    Project("away", repository="/no/such/place"),
]
"""


def test_a_checkout_stands_in_the_status_of_its_revision(stopped: Installation, tmp_path: Path) -> None:
    source = GitSource(tmp_path / "source")
    first = source.commit("First", **{"build.sh": "exit 1\n"})
    second = source.commit("Second", **{"build.sh": "echo built\n"})
    (stopped.directory / "projects.py").write_text(_PROJECTS.format(source=str(source.path)))
    with stopped.started("up") as up:
        up.wait_for("All is ready")
        good = stopped.trigger("build", "--follow", "-p", "branch=main").splitlines()[0]
        bad = stopped.orchestra("trigger", "example", "build", "--follow", "-p", f"revision={first}")
        assert bad.returncode == 1, bad.stderr
        status = stopped.json("project", "status", "example")
        runs = [(one["revision"]["identifier"], one["jobs"]["build"]["last"]) for one in status["items"]]
        assert [(revision, run["status"]) for revision, run in runs] == [(second, "succeeded"), (first, "failed")]
        assert runs[0][1]["identifier"] in good
        shown = stopped.orchestra("project", "status", "example", "--branch", "main", "--limit", "1")
        assert shown.returncode == 0, shown.stderr
        assert [word for word in ("build", second[:12], "Second", "succeeded") if word not in shown.stdout] == []
        assert "There is more: --cursor" in shown.stderr
        missing = stopped.orchestra("project", "status", "example", "--branch", "nothing")
        assert missing.returncode != 0
        assert "no branch 'nothing'" in missing.stderr
        away = stopped.orchestra("project", "status", "away")
        assert away.returncode == 0
        assert "Warning: The repository could not be asked" in away.stderr
        assert "nothing is known yet" in away.stderr
    assert (stopped.directory / "service").is_dir()
    assert len(list(stopped.directory.glob("worker*/mirrors/*.git"))) == 1
