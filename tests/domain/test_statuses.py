from __future__ import annotations

from itertools import product

import pytest

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.statuses import ACTIVE, TERMINAL, TRANSITIONS, RunStatus, advance

ALLOWED = {
    ("pending", "running"),
    ("pending", "cancelled"),
    ("running", "pending"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "aborted"),
    ("running", "exception"),
}


@pytest.mark.parametrize(("current", "following"), [*product(RunStatus, RunStatus)])
def test_every_pair_moves_as_the_table_says(current: RunStatus, following: RunStatus) -> None:
    if (current.value, following.value) in ALLOWED:
        assert advance(current, following) is following
    else:
        with pytest.raises(Conflict, match=f"{current.value} cannot become {following.value}"):
            advance(current, following)


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(RunStatus)


def test_active_and_terminal_are_two_halves() -> None:
    assert set(ACTIVE) == {RunStatus.PENDING, RunStatus.RUNNING}
    assert set(ACTIVE) | set(TERMINAL) == set(RunStatus)
    assert all(status.is_terminal for status in TERMINAL)
    assert not any(status.is_terminal for status in ACTIVE)
