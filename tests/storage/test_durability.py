"""What is answered is durable: a killed process cannot show it, so the calls that make it so are looked at."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import write_requests
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogKey, LogPiece
from job_orchestra.storage.sql.databases import database_at
from job_orchestra.storage.sql.urls import parse_database_url

KEY = LogKey("example", "01m85kb309z79grqvh", 1)


class Synchronised:
    """Paths in the order in which they were made durable, with the size that each had then."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, int]] = []

    def record(self, really: Callable[[int], None]) -> Callable[[int], None]:
        def synchronise(descriptor: int) -> None:
            really(descriptor)
            self.calls.append((Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor).st_size))

        return synchronise

    @property
    def paths(self) -> list[Path]:
        return [path for path, _ in self.calls]


@pytest.fixture
def synchronised(monkeypatch: pytest.MonkeyPatch) -> Synchronised:
    recorder = Synchronised()
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, recorder.record(getattr(os, name)))
    return recorder


async def append(directory: Path, offset: int, data: bytes) -> None:
    store = open_log_store(directory)
    try:
        await store.append([LogPiece(KEY, offset, data)])
    finally:
        await store.close()


def test_a_log_is_durable_with_its_name_and_those_of_its_folders(tmp_path: Path, synchronised: Synchronised) -> None:
    root = tmp_path / "logs"
    asyncio.run(append(root, 0, b"0123"))
    (log,) = root.rglob("*.log")
    assert (log, 4) in synchronised.calls
    for folder in (log.parent, log.parent.parent, log.parent.parent.parent, root, tmp_path):
        assert folder in synchronised.paths, folder


def test_who_goes_on_with_a_log_makes_durable_what_another_may_have_left_undone(
    tmp_path: Path, synchronised: Synchronised
) -> None:
    root = tmp_path / "logs"
    asyncio.run(append(root, 0, b"0123"))
    synchronised.calls.clear()
    asyncio.run(append(root, 4, b"45"))
    (log,) = root.rglob("*.log")
    assert (log, 6) in synchronised.calls
    for folder in (log.parent, log.parent.parent, log.parent.parent.parent, root):
        assert folder in synchronised.paths, folder


def test_a_request_is_durable_with_its_name(tmp_path: Path, synchronised: Synchronised) -> None:
    request = Request(
        run="r1", attempt=1, project="p", job="j", definition={}, parameters={}, workspace=Workspace.JOB,
        limits=RunLimits(), service_url="", boot="b",
    )  # fmt: skip
    assert write_requests(tmp_path, [request]) == {request.key: None}
    written, draft, runs = synchronised.paths
    assert (written.name, written.parent) == ("request.json", draft)
    assert synchronised.calls[0][1] == (tmp_path / f"{request.run}.1" / "request.json").stat().st_size
    assert runs == tmp_path


def test_sqlite_waits_for_the_disk_at_each_commit(sqlite_url: str) -> None:
    connection = database_at(parse_database_url(sqlite_url)).connect_driver(is_writer=True)
    assert isinstance(connection, sqlite3.Connection)
    try:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        connection.close()


def test_postgresql_waits_for_the_disk_at_each_commit(postgresql_url: str) -> None:
    with database_at(parse_database_url(postgresql_url)).connect_driver(is_writer=True) as connection:
        assert isinstance(connection, psycopg.Connection)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
