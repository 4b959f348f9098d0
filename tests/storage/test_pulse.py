from __future__ import annotations

import asyncio
import os
from pathlib import Path

from job_orchestra.storage.files import open_log_pulse


def test_a_beat_changes_the_directory_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    os.utime(tmp_path, (0, 0))

    async def scenario() -> None:
        pulse = open_log_pulse(tmp_path)
        await pulse.beat()
        await pulse.close()

    asyncio.run(scenario())
    assert tmp_path.stat().st_mtime > 0
    assert not list(tmp_path.iterdir())


def test_logs_that_nobody_has_stored_yet_are_no_dead_disk(tmp_path: Path) -> None:
    async def scenario() -> None:
        pulse = open_log_pulse(tmp_path / "later")
        await pulse.beat()
        await pulse.close()

    asyncio.run(scenario())
    assert not (tmp_path / "later").exists()
