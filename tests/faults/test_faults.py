"""The short form of the storm; `python -m tests.faults` is the long one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.campaign import Scale, carry_out
from tests.faults.databases import Database, OnServer, Sqlite
from tests.faults.plan import Victim
from tests.servers import new_server

_LONGEST_PAUSE = 1.0
_PARTS_OF_A_LINE = 4


_ALWAYS = {"kill master", "kill service"}
"""The seeds below were chosen for plans that have them and, among others, those that the tests name."""


def test_runs_on_sqlite_outlive_a_storm(tmp_path: Path) -> None:
    faults = _weather(7, tmp_path / "installation", Sqlite(tmp_path / "orchestra.db"))
    assert faults >= {"kill worker-1", "kill host-1", "stop worker-2", "stop host-2", "lock sqlite"}


def test_runs_on_postgresql_outlive_a_storm(tmp_path: Path) -> None:
    with new_server("postgresql") as server:
        server.start()
        faults = _weather(74, tmp_path / "installation", OnServer(Victim.POSTGRESQL, server))
    assert faults >= {"kill worker-2", "kill host-2", "kill postgresql", "kill master-2", "stop master"}


def test_runs_on_mariadb_outlive_a_storm(tmp_path: Path) -> None:
    with new_server("mariadb") as server:
        server.start()
        faults = _weather(40, tmp_path / "installation", OnServer(Victim.MARIADB, server))
    assert faults >= {"kill worker-1", "kill host-1", "kill mariadb", "terminate mariadb", "stop mariadb"}


def test_runs_on_mongodb_outlive_a_storm(tmp_path: Path) -> None:
    with new_server("mongodb") as server:
        server.start()
        faults = _weather(21, tmp_path / "installation", OnServer(Victim.MONGODB, server))
    assert faults >= {"kill worker-1", "kill host-2", "kill mongodb", "terminate mongodb", "stop mongodb"}


def _weather(seed: int, directory: Path, database: Database) -> set[str]:
    """The faults that were committed."""
    scale = Scale(seed, runs=40, faults=14, lines=2, longest_pause=_LONGEST_PAUSE)
    figures = asyncio.run(carry_out(scale, directory, database, print))
    print(figures)
    assert not figures.findings, f"seed {seed}; {directory}"
    assert sum(figures.ends.values()) == scale.runs + _PARTS_OF_A_LINE * scale.lines
    assert sum(figures.faults.values()) == scale.faults
    assert set(figures.faults) >= _ALWAYS
    return set(figures.faults)
