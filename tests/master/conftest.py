from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.master.peers import Scenario, fresh_database, surroundings


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scenario], None]:
    url = fresh_database(tmp_path)

    def play_scenario(scenario: Scenario) -> None:
        async def run() -> None:
            async with surroundings(url, tmp_path) as parts:
                await scenario(parts)

        asyncio.run(run())

    return play_scenario
