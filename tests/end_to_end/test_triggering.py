"""What a user at a terminal sees of jobs and runs, on a running installation."""

from __future__ import annotations

import hashlib
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests import prepared
from tests.end_to_end.installation import PATIENCE, Installation


def test_following_shows_the_output_and_exits_0(running: Installation) -> None:
    done = running.orchestra("trigger", "example", "hello", "-p", "name=you", "--follow")
    assert (done.returncode, done.stderr) == (0, "")
    identifier, *log = done.stdout.splitlines()
    assert identifier == running.json("run", "list", "example", "--limit", "1")["items"][0]["identifier"]
    assert "Hello, you!" in log


@pytest.mark.parametrize(
    ("job", "code", "status"), [("fail", 1, "failed"), ("broken", 3, "exception"), ("results", 0, "succeeded")]
)
def test_the_exit_code_tells_how_the_run_ended(job: str, code: int, status: str, running: Installation) -> None:
    done = running.orchestra("trigger", "example", job, "--follow")
    assert (done.returncode, done.stderr) == (code, "")
    assert "never" not in done.stdout
    assert running.json("run", "show", "example", done.stdout.split()[0])["status"] == status


def test_results_are_shown(running: Installation) -> None:
    done = running.orchestra("trigger", "example", "results", "--follow")
    run = done.stdout.split()[0]
    assert "0 failed" in done.stdout
    assert running.json("run", "results", "example", run) == {"tests": {"failed": 0}}
    assert running.orchestra("run", "results", "example", run).stdout == 'tests  {"failed":0}\n'


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["trigger", "example", "hello", "-p", "nam=x"], 64, "parameters.nam"),
        (["trigger", "example", "greet"], 64, "parameters.name"),
        (["trigger", "example", "hello", "-p", "name"], 64, "KEY=VALUE"),
        (["trigger", "example", "count", "-p", "count=many"], 64, "parameters.count"),
        (["trigger", "example", "nothing", "--follow"], 4, "nothing"),
        (["trigger", "nobody", "hello"], 4, "nobody"),
        (["run", "show", "example", "0" * 18], 4, "0" * 18),
        (["run", "list", "example", "--cursor", "x"], 64, "cursor"),
        (["worker", "delete", "here"], 5, "here"),
    ],
)
def test_a_mistake_gets_one_clear_line(
    arguments: list[str], code: int, words: str, running_on_sqlite: Installation
) -> None:
    done = running_on_sqlite.orchestra(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert words in line


def test_a_wrong_token_and_a_user_without_the_role_are_told_so(running_on_sqlite: Installation) -> None:
    done = running_on_sqlite.orchestra("run", "list", environment={"ORCHESTRA_TOKEN": "wrong"})
    assert done.returncode == 6
    assert len(done.stderr.splitlines()) == 1
    running_on_sqlite.orchestra("user", "create", "viewer", "--role", "viewer")
    token = running_on_sqlite.orchestra("token", "create", "viewer").stdout.strip()
    environment = {"ORCHESTRA_TOKEN": token, "ORCHESTRA_USER": "viewer"}
    assert running_on_sqlite.orchestra("run", "list", environment=environment).returncode == 0
    done = running_on_sqlite.orchestra("trigger", "example", "hello", environment=environment)
    assert done.returncode == 7
    assert len(done.stderr.splitlines()) == 1


def test_values_are_text_unless_the_parameter_says_otherwise(running_on_sqlite: Installation) -> None:
    run = running_on_sqlite.trigger("count", "-p", "count=3", "-p", "deep=[[1, 2]]")
    assert running_on_sqlite.json("run", "show", "example", run)["parameters"] == {"count": 3, "deep": [[1, 2]]}
    run = running_on_sqlite.trigger("hello", "-p", "name=3")
    assert running_on_sqlite.json("run", "show", "example", run)["parameters"] == {"name": "3"}
    run = running_on_sqlite.trigger("hello", "-p", "name:=3")
    assert running_on_sqlite.json("run", "show", "example", run)["parameters"] == {"name": 3}


def test_a_key_makes_one_run(running: Installation) -> None:
    first = running.trigger("hello", "--key", "once")
    assert running.trigger("hello", "--key", "once") == first


def test_the_log_is_live_and_an_abort_exits_2(running: Installation, tmp_path: Path) -> None:
    file = tmp_path / "never"
    with running.started("trigger", "example", "wait", "-p", f"file={file}", "--follow") as follower:
        follower.wait_for("waiting\n")
        run = follower.output.split()[0]
        assert running.orchestra("run", "cancel", "example", run).returncode == 5
        assert running.orchestra("run", "abort", "example", run).returncode == 0
        follower.wait_for("aborted")
        assert follower.process.wait(PATIENCE) == 2
    assert "goes on" not in follower.output


def test_what_cannot_start_says_why_and_can_be_cancelled(running: Installation) -> None:
    with running.started("trigger", "example", "nowhere", "--follow") as follower:
        follower.wait_for(
            "Warning: No known worker could ever take it: here (needs operating_system = plan9, has linux)"
        )
        follower.wait_for("Waiting: ")
        run = follower.output.split()[0]
        why = running.json("run", "why", "example", run)
        assert why["is_impossible"]
        assert {one["worker"] for one in why["workers"]} == {"here", "here-2"}
        assert running.orchestra("run", "cancel", "example", run).returncode == 0
        follower.wait_for("cancelled")
        assert follower.process.wait(PATIENCE) == 2


def test_the_log_is_the_stored_bytes_and_nothing_else(running: Installation) -> None:
    run = running.orchestra("trigger", "example", "bytes", "--follow").stdout.split()[0]
    command = running.command("run", "log", "example", run)
    log = subprocess.run(
        command, cwd=running.directory, env=running.environment(), check=True, capture_output=True, timeout=PATIENCE
    ).stdout
    assert b"\xff\xfe\x00\r\x1b[1m no text" in log
    shown = running.json("run", "show", "example", run)["log"]
    assert shown == {"size": len(log), "sha256": hashlib.sha256(log).hexdigest()}


def test_interrupting_a_follower_leaves_the_run_alone(running: Installation, tmp_path: Path) -> None:
    file = tmp_path / "now"
    with running.started("trigger", "example", "wait", "-p", f"file={file}", "--follow") as follower:
        follower.wait_for("waiting\n")
        assert follower.stop(signal.SIGINT) == 130
        assert "Traceback" not in follower.output
    run = follower.output.split()[0]
    file.touch()
    done = running.orchestra("run", "log", "example", run, "--follow")
    assert done.returncode == 0
    assert "goes on" in done.stdout


def test_a_reader_that_leaves_ends_the_command_quietly(running_on_sqlite: Installation) -> None:
    run = running_on_sqlite.orchestra("trigger", "example", "hello", "--follow").stdout.split()[0]
    command = shlex.join(running_on_sqlite.command("run", "log", "example", run))
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
        cwd=running_on_sqlite.directory,
        env=running_on_sqlite.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout in {"141\n", "0\n"}  # 0 if the log was written before the reader had gone


def test_disabled_jobs_and_workers_hold_runs_back(running_on_sqlite: Installation) -> None:
    assert not running_on_sqlite.json("job", "disable", "example", "greet")["is_enabled"]
    run = running_on_sqlite.trigger("greet", "-p", "name=later")
    assert "disabled" in running_on_sqlite.json("run", "why", "example", run)["summary"]
    assert running_on_sqlite.orchestra("job", "enable", "example", "greet").returncode == 0
    assert running_on_sqlite.orchestra("run", "log", "example", run, "--follow").returncode == 0
    for worker in ("here", "here-2"):
        assert running_on_sqlite.json("worker", "drain", worker)["is_draining"]
    run = running_on_sqlite.trigger("hello")
    assert running_on_sqlite.json("run", "show", "example", run)["status"] == "pending"
    for worker in ("here", "here-2"):
        assert not running_on_sqlite.json("worker", "enable", worker)["is_draining"]
    assert running_on_sqlite.orchestra("run", "log", "example", run, "--follow").returncode == 0


def test_retry_and_download(running_on_sqlite: Installation) -> None:
    run = running_on_sqlite.orchestra("trigger", "example", "fail", "--follow").stdout.split()[0]
    again = running_on_sqlite.orchestra("run", "retry", "example", run).stdout.strip()
    assert running_on_sqlite.orchestra("run", "log", "example", again, "--follow").returncode == 1
    assert running_on_sqlite.json("run", "show", "example", again)["retry_of"] == run
    assert running_on_sqlite.orchestra("run", "download", "example", run).stdout == f"{run}.zip\n"
    assert (running_on_sqlite.directory / f"{run}.zip").read_bytes()[:2] == b"PK"


def test_login_and_logout(running_on_sqlite: Installation, tmp_path: Path) -> None:
    """From elsewhere, as a client of the service."""
    installation = running_on_sqlite
    installation.orchestra("user", "create", "ada", "--role", "operator", "--password", given="correct horse\n")

    def orchestra(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return prepared.run(arguments, cwd=tmp_path, env=installation.environment(), given=given)

    assert orchestra("run", "list").returncode == 6
    assert orchestra("login", installation.service_url, "--user", "ada", given="wrong\n").returncode == 6
    assert orchestra("login", installation.service_url, "--user", "ada", given="correct horse\n").returncode == 0
    file = installation.home / ".config" / "job-orchestra" / "credentials.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert orchestra("run", "list").returncode == 0
    assert orchestra("logout").returncode == 0
    assert "ada" not in file.read_text()
    assert orchestra("run", "list").returncode == 6
