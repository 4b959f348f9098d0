"""Installations: made, started, stopped, and what they say when something is missing."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.installation import PATIENCE, Installation, wait_until
from tests.ports import free_port


def test_init_makes_an_installation_that_works(tmp_path: Path) -> None:
    def orchestra(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRA_")}
        return subprocess.run(
            [sys.executable, "-P", "-m", "job_orchestra", *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    made = orchestra("init", "new place")
    assert made.returncode == 0
    assert "cd 'new place'" in made.stdout
    checked = orchestra("config", "check", cwd=tmp_path / "new place")
    assert (checked.returncode, checked.stdout) == (0, "orchestra.toml is in order: 1 project, 1 job, 0 schedules.\n")
    again = orchestra("init", "new place")
    assert (again.returncode, again.stderr) == (5, "Error: new place is not empty.\n")


def test_config_check_reports_all_mistakes(stopped: Installation) -> None:
    (stopped.directory / "orchestra.toml").write_text(
        '[master]\nprot = 1\ncomposition = "nothing:Nothing"\n[service]\ncomposition = "projects:projects"\n'
        '[database]\nurl = "oracle://x"\n'
    )
    (stopped.directory / "projects.py").write_text("from job_orchestra import Project\n\nprojects = [Projct('x')]\n")
    done = stopped.orchestra("config", "check")
    assert done.returncode == 64
    for place in (
        "orchestra.toml: [master] prot",
        "[master] composition: there is no module 'nothing'",
        "database.url: has the scheme 'oracle'",
        "projects.py:3: NameError: name 'Projct' is not defined",
    ):
        assert place in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("application", ["master", "service", "website"])
def test_who_is_connected_to_takes_all_descriptors_that_there_are(stopped: Installation, application: str) -> None:
    given, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(given, 250), most))
    try:
        with stopped.started(application) as started:
            wait_until(lambda: resource.prlimit(started.process.pid, resource.RLIMIT_NOFILE) == (most, most))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (given, most))


def test_up_outside_an_installation(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "job_orchestra", "up"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 64
    assert "orchestra init" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_commands_without_a_service_say_so(stopped: Installation) -> None:
    done = stopped.orchestra("trigger", "example", "hello", "--follow")
    assert done.returncode == 6
    assert "not logged in" in done.stderr
    done = stopped.orchestra("trigger", "example", "hello", environment={"ORCHESTRA_TOKEN": "x"})
    assert (done.returncode, done.stderr) == (
        8,
        f"Error: The service at {stopped.service_url} cannot be reached: connection refused.\n",
    )
    done = stopped.orchestra("user", "list")
    assert done.returncode == 8
    assert "orchestra database create" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_up_restarts_what_dies_and_leaves_runs_alone(stopped: Installation, tmp_path: Path) -> None:
    file = tmp_path / "now"
    with stopped.started("up", sign=signal.SIGTERM) as up:
        up.wait_for("All is ready")
        assert up.output.count(": ready") == 4
        assert "password" in up.output
        second = stopped.orchestra("up")
        assert (second.returncode, len(second.stderr.splitlines())) == (5, 1)
        with stopped.started("trigger", "example", "wait", "-p", f"file={file}", "--follow") as follower:
            follower.wait_for("waiting\n")
            run = follower.output.split()[0]
            for name in ("service", "master", "worker", "website"):
                os.kill(child(up.process.pid, name), signal.SIGKILL)
            up.wait_for("was killed by SIGKILL", 4)
            up.wait_for(": ready", 8)
    assert "Runs that go on without us: 1." in up.output
    assert "Traceback" not in up.output
    with stopped.started("up") as up:
        up.wait_for("All is ready")
        assert "password" not in up.output
        assert stopped.json("run", "show", "example", run)["status"] == "running"
        file.touch()
        assert stopped.orchestra("run", "log", "example", run, "--follow").returncode == 0
    shown_directories = {path.name for path in (stopped.directory / ".orchestra").iterdir()}
    assert shown_directories == {"lock", "worker-token", "command-line-token"}
    for path in (stopped.directory / ".orchestra").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def child(parent: int, name: str) -> int:
    for path in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (path / "cmdline").read_bytes().split(b"\0")
            is_child = int((path / "stat").read_text().rpartition(")")[2].split()[1]) == parent
        except (FileNotFoundError, ProcessLookupError):
            continue
        if is_child and name.encode() in arguments:
            return int(path.name)
    raise AssertionError(f"{name} is no child of {parent}")


def test_applications_stop_with_the_command_that_started_them(stopped: Installation) -> None:
    with stopped.started("up") as up:
        up.wait_for("All is ready")
        names = ("master", "service", "website", "worker")
        children = [os.pidfd_open(child(up.process.pid, name)) for name in names]
        up.process.kill()
        for descriptor in children:
            assert select.select([descriptor], [], [], PATIENCE)[0]
            os.close(descriptor)
    with stopped.started("up") as up:
        up.wait_for("All is ready")


def test_applications_started_one_by_one_in_any_order(new_url: Callable[[], str], tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation", new_url())
    with (
        installation.started("website") as website,
        installation.started("service", sign=signal.SIGTERM) as service,
    ):
        website.wait_for("website: ready")
        service.wait_for("Waiting for the database")
        assert installation.orchestra("database", "create").returncode == 0
        service.wait_for("service: ready")
        tokens = {user: installation.new_token(user, role) for user, role in USERS}
        first = {"ORCHESTRA_WORKER_USER": "builder", "ORCHESTRA_WORKER_TOKEN": tokens["builder"]}
        second = {**first, "ORCHESTRA_WORKER_IDENTIFIER": "there", "ORCHESTRA_WORKER_DIRECTORY": "worker-there"}
        with (
            installation.started("worker", environment=first) as here,
            installation.started("worker", environment=second) as there,
        ):
            here.wait_for("waits for the master")
            there.wait_for("waits for the master")
            service.wait_for("master")
            environment = {"ORCHESTRA_USER": "ada", "ORCHESTRA_TOKEN": tokens["ada"]}
            with installation.started("master") as master:
                for one, words in ((master, "master: ready"), (here, "worker: ready"), (there, "worker: ready")):
                    one.wait_for(words)
                done = installation.orchestra("trigger", "example", "hello", "--follow", environment=environment)
                assert (done.returncode, done.stderr) == (0, "")
    for application in (website, service, here, there, master):
        assert application.process.returncode == 0
        assert "Traceback" not in application.output


USERS = (("builder", "worker"), ("ada", "operator"))


def test_a_taken_port_and_missing_credentials_are_told(stopped: Installation) -> None:
    port = free_port()
    environment = {"ORCHESTRA_WEBSITE_PORT": str(port)}
    with stopped.started("website", environment=environment) as website:
        website.wait_for("ready")
        done = stopped.orchestra("website", environment=environment)
        assert done.returncode == 8
        assert len(done.stderr.splitlines()) == 1
        assert str(port) in done.stderr
    done = stopped.orchestra("worker")
    assert done.returncode == 64
    assert "[worker] user" in done.stderr


def test_the_demo_ends_as_it_should() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "job_orchestra", "demo", "--exit"],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("100 %  manual", "succeeded", "failed", "sum=500500", "Website: http://127.0.0.1:"):
        assert words in done.stdout
