from __future__ import annotations

import pytest

from tests.simulation.scenario import Scenario

SEEDS = 400
_IN_ONE_TEST = 50


@pytest.mark.parametrize("start", range(0, SEEDS, _IN_ONE_TEST))
def test_the_promises_hold_whatever_breaks(start: int) -> None:
    for seed in range(start, start + _IN_ONE_TEST):
        try:
            Scenario(seed).run()
        except Exception as error:
            raise AssertionError(f"python -m tests.simulation --seeds 1 --start {seed} --trace") from error


def test_a_seed_repeats_what_happened() -> None:
    first: list[str] = []
    second: list[str] = []
    Scenario(7, first.append).run()
    Scenario(7, second.append).run()
    assert first == second
    assert len(first) > 100
