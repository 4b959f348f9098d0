from __future__ import annotations

import pytest

from tests.simulation.scenario import Scenario

SEEDS = 1500
_IN_ONE_TEST = 100


@pytest.mark.parametrize("start", range(0, SEEDS, _IN_ONE_TEST))
def test_the_promises_hold_whatever_breaks(start: int) -> None:
    for seed in range(start, start + _IN_ONE_TEST):
        try:
            Scenario(seed).run()
        except Exception as error:
            raise AssertionError(f"seed {seed}: python -m tests.simulation --seeds 1 --start {seed}") from error
