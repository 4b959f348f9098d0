"""The short form of the storm; `python -m tests.faults` is the long one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.faults.campaign import Scale, carry_out
from tests.faults.databases import Database, Postgresql, Sqlite
from tests.postgresql_server import PostgresqlServer
from tests.services import needed

_LONGEST_PAUSE = 1.0


@pytest.mark.parametrize("seed", [1])
def test_runs_on_sqlite_outlive_a_storm(seed: int, tmp_path: Path) -> None:
    _weather(seed, tmp_path / "installation", Sqlite(tmp_path / "orchestra.db"))


@pytest.mark.parametrize("seed", [2])
def test_runs_on_postgresql_outlive_a_storm(seed: int, tmp_path: Path) -> None:
    server = PostgresqlServer(needed("PostgreSQL"))
    try:
        server.start()
        _weather(seed, tmp_path / "installation", Postgresql(server))
    finally:
        server.remove()


def _weather(seed: int, directory: Path, database: Database) -> None:
    scale = Scale(seed, runs=40, faults=14, longest_pause=_LONGEST_PAUSE)
    figures = asyncio.run(carry_out(scale, directory, database, print))
    print(figures)
    assert not figures.findings, f"seed {seed}; {directory}"
    assert sum(figures.ends.values()) == scale.runs
    assert sum(figures.faults.values()) == scale.faults
