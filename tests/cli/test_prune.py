"""`orchestra database prune`: what it foresees is what then goes."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.json import JsonObject
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogKey, LogPiece
from tests import prepared
from tests.repositories.history import past_run, store
from tests.repositories.records import Records, configuration

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


class Host:
    """An installation whose master has read its projects; nothing is running."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self._directory = directory
        self._url = database_url
        settings = f'[database]\nurl = "{database_url}"\n[storage]\nretention_days = 30\n'
        (directory / "orchestra.toml").write_text(settings)
        self._with_records(self._fill)

    def prune(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return prepared.run(["database", "prune", *arguments], cwd=self._directory)

    def told(self, *arguments: str) -> dict[str, Any]:
        done = self.prune(*arguments, "--output", "json")
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def runs(self) -> list[str]:
        """What is left, as job and age in days, from the oldest on."""
        left: list[str] = []

        async def look(records: Records) -> None:
            for run in (await records.runs.list(newest_first=False)).items:
                left.append(f"{run.request.job} {(NOW - run.created_at).days}")

        self._with_records(look)
        return left

    @property
    def logs(self) -> list[Path]:
        return [path for path in (self._directory / "logs").rglob("*") if path.is_file()]

    async def _fill(self, records: Records) -> None:
        few: JsonObject = {"identifier": "few", "commands": [["true"]], "retention": {"count": 2}}
        usual: JsonObject = {"identifier": "usual", "commands": [["true"]]}
        await records.projects.apply(configuration({"identifier": "p", "jobs": [few, usual]}))
        runs = [
            past_run(NOW - days * DAY, job=job, number=number)
            for number, job in enumerate(("few", "usual"))
            for days in (50, 40, 20, 10)
        ]
        await store(records.storage, [*runs, past_run(NOW - 99 * DAY, job="usual", is_pinned=True)])
        logs = open_log_store(self._directory / "logs")
        await logs.append([LogPiece(LogKey("p", run.identifier, 1), 0, b"ten bytes.") for run in runs])
        await logs.close()

    def _with_records(self, work: Callable[[Records], Awaitable[None]]) -> None:
        async def main() -> None:
            storage = open_storage(self._url)
            try:
                await work(Records(storage))
            finally:
                await storage.close()

        asyncio.run(main())


@pytest.fixture
def host(tmp_path: Path, sqlite_url: str) -> Host:
    return Host(tmp_path, sqlite_url)


def test_a_dry_run_says_what_then_goes(host: Host) -> None:
    before = host.runs()
    foreseen = host.told("--dry-run")
    assert (foreseen["is_dry_run"], foreseen["runs"], foreseen["log_bytes"]) == (True, 4, 40)
    assert [(one["job"], one["runs"], one["log_bytes"]) for one in foreseen["jobs"]] == [
        ("few", 2, 20),
        ("usual", 2, 20),
    ]
    first = datetime.fromisoformat(foreseen["jobs"][0]["triggered_from"])
    assert abs(first - (NOW - 50 * DAY)) < timedelta(milliseconds=1)
    assert host.runs() == before
    assert host.told() == {**foreseen, "is_dry_run": False}
    assert host.runs() == ["usual 99", "few 20", "usual 20", "few 10", "usual 10"]
    assert len(host.logs) == 4
    assert host.told()["runs"] == 0


def test_for_people(host: Host) -> None:
    *rows, total = host.prune("--dry-run").stdout.splitlines()
    assert [row.split()[:3] for row in rows[1:]] == [["p", "few", "2"], ["p", "usual", "2"]]
    assert total == "4 runs would be removed, with 40 bytes of logs."
    done = host.prune("--project", "p", "--job", "few")
    assert done.stdout.splitlines()[-1] == "2 runs removed, with 20 bytes of logs."
    assert done.stderr == ""
    assert host.prune("--project", "p").stdout.splitlines()[-1] == "2 runs removed, with 20 bytes of logs."


def test_what_cannot_be_pruned(host: Host) -> None:
    assert host.prune("--job", "few").returncode == ExitCode.INVALID
    for arguments in (("--project", "nope"), ("--project", "p", "--job", "nope")):
        done = host.prune(*arguments)
        assert (done.returncode, "nope" in done.stderr) == (ExitCode.NOT_FOUND, True)
