"""The short form of the storm; `python -m tests.faults` is the long one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.campaign import Scale, carry_out
from tests.faults.databases import Database, Served, Sqlite
from tests.faults.plan import Victim
from tests.mongodb_server import MongodbServer
from tests.postgresql_server import PostgresqlServer
from tests.services import needed

_LONGEST_PAUSE = 1.0


_ALWAYS = {"kill master", "kill service"}
"""The seeds below were chosen for plans that have them and, among others, those that the tests name."""


def test_runs_on_sqlite_outlive_a_storm(tmp_path: Path) -> None:
    faults = _weather(8, tmp_path / "installation", Sqlite(tmp_path / "orchestra.db"))
    assert faults >= {"kill worker-1", "kill host-1", "stop worker-2", "stop host-2", "lock sqlite"}


def test_runs_on_postgresql_outlive_a_storm(tmp_path: Path) -> None:
    server = PostgresqlServer(needed("PostgreSQL"))
    try:
        server.start()
        faults = _weather(13, tmp_path / "installation", Served(Victim.POSTGRESQL, server))
    finally:
        server.remove()
    assert faults >= {"kill worker-2", "kill host-2", "kill postgresql", "terminate postgresql", "stop master"}


def test_runs_on_mongodb_outlive_a_storm(tmp_path: Path) -> None:
    server = MongodbServer(needed("MongoDB"))
    try:
        server.start()
        faults = _weather(12, tmp_path / "installation", Served(Victim.MONGODB, server))
    finally:
        server.remove()
    assert faults >= {"kill worker-1", "kill host-2", "kill mongodb", "terminate mongodb", "stop mongodb"}


def _weather(seed: int, directory: Path, database: Database) -> set[str]:
    """The faults that were committed."""
    scale = Scale(seed, runs=40, faults=14, longest_pause=_LONGEST_PAUSE)
    figures = asyncio.run(carry_out(scale, directory, database, print))
    print(figures)
    assert not figures.findings, f"seed {seed}; {directory}"
    assert sum(figures.ends.values()) == scale.runs
    assert sum(figures.faults.values()) == scale.faults
    assert set(figures.faults) >= _ALWAYS
    return set(figures.faults)
