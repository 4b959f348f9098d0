from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.serving import Play, play_over


@pytest.fixture
def play(database_url: str, tmp_path: Path) -> Play:
    """Plays a scenario with a running service, on each kind of database."""
    return play_over(database_url, tmp_path)


@pytest.fixture
def play_on_sqlite(sqlite_url: str, tmp_path: Path) -> Play:
    """For what has nothing to do with the kind of database."""
    return play_over(sqlite_url, tmp_path)
