from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.worker.standing_in import end_hosts


@pytest.fixture
def directory(tmp_path: Path) -> Generator[Path]:
    """Of a worker, whose executor hosts are ended behind the test."""
    yield tmp_path / "worker"
    end_hosts(tmp_path / "worker")
