from __future__ import annotations

from pathlib import Path

import pytest

from job_orchestra.storage.sql import open_administration


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/test.db"
    open_administration(url).create()
    return url
