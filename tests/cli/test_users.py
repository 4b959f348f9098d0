"""Users on the host, directly on the database."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from job_orchestra.cli.exit_codes import ExitCode


class Host:
    """An installation with a database, and nothing running."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self._settings = directory / "orchestra.toml"
        self._settings.write_text(f'[database]\nurl = "{database_url}"\n')

    def user(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "job_orchestra", "user", *arguments, "--settings", str(self._settings)]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def host(tmp_path: Path, sqlite_url: str) -> Host:
    return Host(tmp_path, sqlite_url)


def test_the_only_administrator_stays_one(host: Host) -> None:
    assert host.user("create", "ada", "--role", "administrator").returncode == 0
    for arguments in (("disable", "ada"), ("update", "ada", "--no-roles"), ("delete", "ada")):
        done = host.user(*arguments)
        assert done.returncode == ExitCode.CONFLICT
        [line] = done.stderr.splitlines()
        assert "'ada' is the only enabled administrator" in line
        assert "Give the role administrator to another enabled user first." in line
    assert host.user("create", "bob", "--role", "administrator").returncode == 0
    done = host.user("disable", "ada", "--output", "json")
    assert not json.loads(done.stdout)["is_enabled"]
    assert host.user("delete", "ada").returncode == 0
    assert host.user("disable", "bob").returncode == ExitCode.CONFLICT
