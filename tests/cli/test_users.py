"""Users on the host, directly on the database."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.domain.audit import AuditOrigin, AuditOutcome
from tests import prepared
from tests.repositories.records import Records, play


class Host:
    """An installation with a database, and nothing running."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self._settings = directory / "orchestra.toml"
        self._settings.write_text(f'[database]\nurl = "{database_url}"\n')

    def user(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return prepared.run(["user", *arguments, "--settings", str(self._settings)])


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


def test_what_is_done_on_the_host_is_in_the_audit_trail(host: Host, sqlite_url: str) -> None:
    assert host.user("create", "ada", "--role", "administrator").returncode == 0
    assert host.user("disable", "ada").returncode == ExitCode.CONFLICT
    assert host.user("update", "ada", "--display-name", "Example").returncode == 0
    assert host.user("disable", "nobody").returncode != 0

    async def trail(records: Records) -> None:
        entries = (await records.audit.list(newest_first=False)).items
        assert {(one.origin, one.user) for one in entries} == {(AuditOrigin.HOST, pwd.getpwuid(os.getuid()).pw_name)}
        assert [(one.action, one.outcome, one.target) for one in entries] == [
            ("user.create", AuditOutcome.DONE, {"user": "ada"}),
            ("user.disable", AuditOutcome.FAILED, {"user": "ada"}),
            ("user.update", AuditOutcome.DONE, {"user": "ada"}),
            ("user.disable", AuditOutcome.FAILED, {"user": "nobody"}),
        ]
        assert entries[0].details == {"roles": ["administrator"], "password": False, "made": {"user": "ada"}}

    play(sqlite_url, trail)
