"""`orchestra database check`: what it tells, and what it takes away when it is told to."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogKey, LogPiece
from tests import prepared
from tests.repositories.history import past_run, store
from tests.repositories.logged import with_log
from tests.repositories.records import Records, play

_ORPHAN = "01m85kb309z79grqvh"


class Host:
    """An installation in which nothing runs, with runs whose logs are in order or missing, and a log without a run."""

    def __init__(self, directory: Path, url: str, *, missing: int, orphans: int, runs: int = 3) -> None:
        self._directory = directory
        self.logs = directory / "logs"
        (directory / "orchestra.toml").write_text(f'[database]\nurl = "{url}"\n')
        old = datetime.now(UTC) - timedelta(days=1)
        self.runs = [with_log(past_run(old, number=number), b"log") for number in range(runs)]

        async def fill(records: Records) -> None:
            await store(records.storage, self.runs)
            logs = open_log_store(self.logs)
            keys = [LogKey("p", run.identifier, 1) for run in self.runs[missing:]]
            keys += [LogKey("p", _ORPHAN, number) for number in range(orphans)]
            await logs.append([LogPiece(key, 0, b"log") for key in keys])
            await logs.close()

        play(url, fill)

    def check(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return prepared.run(["database", "check", *arguments], cwd=self._directory)

    def told(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        done = self.check(*arguments, "--output", "json")
        assert done.stderr == ""
        return done.returncode, json.loads(done.stdout)

    @property
    def files(self) -> int:
        return sum(path.is_file() for path in self.logs.rglob("*"))


def test_all_is_in_order(tmp_path: Path, sqlite_url: str) -> None:
    host = Host(tmp_path, sqlite_url, missing=0, orphans=0)
    done = host.check("--thorough")
    assert (done.returncode, done.stderr) == (ExitCode.SUCCEEDED, "")
    assert done.stdout == f"3 logs of runs and 3 files in {host.logs} were looked at: all is in order.\n"
    assert host.told() == (0, {"findings": [], "logs": 3, "files": 3, "removed": 0})


def test_what_is_wrong_is_told_and_nothing_is_changed(tmp_path: Path, sqlite_url: str) -> None:
    host = Host(tmp_path, sqlite_url, missing=1, orphans=1)
    done = host.check()
    assert (done.returncode, done.stderr) == (ExitCode.FAILED, "")
    assert done.stdout.splitlines() == [
        f"missing  p/{host.runs[0].identifier}, attempt 1: 3 bytes are recorded, and nothing is stored.",
        f"without-run  p/01m8/5k/{_ORPHAN}.0.log: Project p has no run {_ORPHAN}.",
        f"3 logs of runs and 3 files in {host.logs} were looked at: 2 findings.",
    ]
    code, told = host.told()
    assert (code, told["logs"], told["files"], told["removed"]) == (1, 3, 3, 0)
    assert [(one["flaw"], one["run"], one["attempt"], one["is_removed"]) for one in told["findings"]] == [
        ("missing", host.runs[0].identifier, 1, False),
        ("without-run", _ORPHAN, 0, False),
    ]
    assert [one["file"] for one in told["findings"]] == [None, f"p/01m8/5k/{_ORPHAN}.0.log"]
    assert host.files == 3


def test_what_no_run_needs_is_removed_when_that_is_wanted(tmp_path: Path, sqlite_url: str) -> None:
    host = Host(tmp_path, sqlite_url, missing=0, orphans=2)
    code, told = host.told("--remove-unneeded")
    assert (code, told["removed"], [one["is_removed"] for one in told["findings"]]) == (0, 2, [True, True])
    assert host.files == 3
    assert host.check().returncode == ExitCode.SUCCEEDED


def test_a_database_without_runs_takes_no_log_away(tmp_path: Path, sqlite_url: str) -> None:
    host = Host(tmp_path, sqlite_url, missing=0, orphans=2, runs=0)
    done = host.check("--remove-unneeded")
    assert done.returncode == ExitCode.CONFLICT
    assert "There is no run in this database" in done.stderr
    assert host.files == 2


def test_logs_that_cannot_be_looked_through(tmp_path: Path, sqlite_url: str) -> None:
    host = Host(tmp_path, sqlite_url, missing=0, orphans=0, runs=0)
    host.logs.write_text("no folder")
    done = host.check()
    assert done.returncode == ExitCode.UNAVAILABLE
    assert "cannot be looked through: Not a directory" in done.stderr
