"""Programs and a database with an older or a newer schema: nobody starts, and all say which command helps."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.storage.sql.migrations import MIGRATIONS
from tests.end_to_end.installation import Installation

_NEWEST = MIGRATIONS.newest
_SENTENCES = {
    "0001": f"has schema 0001, this program needs {_NEWEST}; `orchestra database upgrade` brings it there.",
    "9999": f"has schema 9999, this program knows none above {_NEWEST}; install the newer program.",
}


@pytest.mark.parametrize("version", _SENTENCES)
def test_every_application_refuses_to_start(stopped: Installation, version: str) -> None:
    assert stopped.orchestra("database", "create").returncode == 0
    _pretend(stopped, version)
    for command in (["master"], ["service"], ["up"]):
        done = stopped.orchestra(*command)
        assert done.returncode == ExitCode.CONFLICT, (command, done.stderr)
        assert _SENTENCES[version] in done.stderr, command
        assert "Traceback" not in done.stderr
    listed = stopped.orchestra("user", "list")
    assert listed.returncode == ExitCode.UNAVAILABLE
    assert _SENTENCES[version] in listed.stderr
    assert _SENTENCES[version] in stopped.orchestra("database", "status").stdout
    if version == "9999":
        upgraded = stopped.orchestra("database", "upgrade")
        assert (upgraded.returncode, _SENTENCES[version] in upgraded.stderr) == (ExitCode.CONFLICT, True)


def test_an_upgrade_tells_its_steps(stopped: Installation) -> None:
    """All of them are done in truth, which it sees; only what changes the version is left."""
    assert stopped.orchestra("database", "create").returncode == 0
    _pretend(stopped, "0001")
    assert f"Schema 0001 would become {_NEWEST}." in stopped.orchestra("database", "upgrade", "--dry-run").stdout
    with closing(sqlite3.connect(stopped.directory / "orchestra.db", isolation_level=None)) as connection:
        connection.execute("DROP INDEX runs_by_status_worker_identifier")
    upgraded = stopped.orchestra("database", "upgrade")
    assert upgraded.stdout.splitlines() == [
        "0003_late_reports: creating the index runs_by_status_worker_identifier (0 rows)",
        f"The database has schema {_NEWEST} now.",
    ]
    assert "Nothing to do" in stopped.orchestra("database", "upgrade").stdout


def _pretend(installation: Installation, version: str) -> None:
    with closing(sqlite3.connect(installation.directory / "orchestra.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
