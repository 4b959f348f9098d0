"""`orchestra config plan` and `apply` on the host, and SIGHUP to a master."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from job_orchestra.cli.exit_codes import ExitCode
from tests.repositories.records import Records, play

_PROJECTS = """
from job_orchestra import Job, Project, Schedule
projects = [
    Project(
        "p",
        jobs=[Job("a", commands=[["true"]], timeout={timeout})],
        schedules=[Schedule("s", job="a", expression="0 3 * * *", is_enabled_at_first=True)],
    )
]
"""


class Host:
    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        self.url = url
        (directory / "orchestra.toml").write_text(f'[database]\nurl = "{url}"\n[master]\nport = 0\n')

    def write(self, timeout: str) -> None:
        (self.directory / "projects.py").write_text(_PROJECTS.format(timeout=timeout))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "job_orchestra", *arguments]

    def config(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = self.command("config", *arguments)
        return subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)

    def timeout(self) -> float | None:
        found: list[float | None] = []

        async def look(records: Records) -> None:
            found.append((await records.jobs.get("p", "a")).settings.limits.timeout)

        play(self.url, look)
        return found[0]


def test_a_plan_tells_and_changes_nothing_and_apply_does_it(tmp_path: Path, sqlite_url: str) -> None:
    host = Host(tmp_path, sqlite_url)
    host.write("None")
    done = host.config("apply")
    assert (done.returncode, done.stderr) == (ExitCode.SUCCEEDED, "")
    assert done.stdout.splitlines() == [
        "+ project p", "+ job p/a", "+ schedule p/s", "    It ticks from now on.", "3 changed: 3 added.",
    ]  # fmt: skip
    host.write("5")
    planned: dict[str, Any] = json.loads(host.config("plan", "--output", "json").stdout)
    assert planned["changes"][0]["fields"] == [{"field": "limits.timeout", "before": None, "after": 5.0}]
    assert (planned["is_applied"], host.timeout()) == (False, None)
    host.write("'5'")
    assert host.config("apply").returncode == ExitCode.INVALID
    assert host.timeout() is None


def test_a_master_reads_it_anew_at_a_signal(tmp_path: Path, sqlite_url: str) -> None:
    host = Host(tmp_path, sqlite_url)
    host.write("None")
    master = subprocess.Popen(
        host.command("master"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert master.stdout is not None
    assert master.stderr is not None
    try:
        assert master.stdout.readline().startswith("master: ready")
        for timeout, told, counts in (
            ("7", "The configuration was applied: job p/a changed.", 7),
            ("'x'", "The configuration was not applied, and the one before counts: projects.py", 7),
            ("8", "The configuration was applied: job p/a changed.", 8),
        ):
            host.write(timeout)
            master.send_signal(signal.SIGHUP)
            assert told in master.stderr.readline()
            assert host.timeout() == counts
    finally:
        master.terminate()
        master.communicate(timeout=30)
    assert master.returncode == 0
