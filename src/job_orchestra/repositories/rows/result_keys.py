"""Keys of results by which runs are found, as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from job_orchestra.domain.moments import to_microseconds
from job_orchestra.repositories.rows.columns import moment, text
from job_orchestra.storage.port import Row


class KeyState(StrEnum):
    FILLING = "filling"
    """Rows are written for every run that is saved; those of before are walked through."""
    COMPLETE = "complete"
    """Every run that has the key has its row."""
    REMOVING = "removing"
    """No master names the key any more; its rows go."""


@dataclass(frozen=True, slots=True)
class ResultKey:
    path: str
    state: KeyState
    position: str
    """While it is filling, the last run that was walked through."""
    named_at: datetime
    """When a master last had it in its settings."""


def result_key_to_row(key: ResultKey) -> Row:
    return {
        "path": key.path,
        "state": key.state.value,
        "position": key.position,
        "named_at": to_microseconds(key.named_at),
    }


def result_key_from_row(row: Row) -> ResultKey:
    return ResultKey(text(row, "path"), KeyState(text(row, "state")), text(row, "position"), moment(row, "named_at"))
