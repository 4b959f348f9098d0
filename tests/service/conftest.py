from __future__ import annotations

from pathlib import Path

import pytest

from job_orchestra.storage.sql import open_administration
from tests.service.serving import Play, play_over


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/test.db"
    open_administration(url).create()
    return url


@pytest.fixture
def play(database_url: str, tmp_path: Path) -> Play:
    """Plays a scenario with a running service."""
    return play_over(database_url, tmp_path)
