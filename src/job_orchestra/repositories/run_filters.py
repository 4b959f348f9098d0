"""What is asked of a list of runs, beside an expression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.identifiers import first_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.runs import SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.conditions import among, equal
from job_orchestra.storage.port import Condition, Operator

_MOST_MILLISECONDS = (1 << 50) - 1
"""The largest that an identifier of a run can hold."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What is None does not matter."""

    project: str | None = None
    job: str | None = None
    statuses: tuple[RunStatus, ...] | None = None
    worker: str | None = None
    source_kind: SourceKind | None = None
    source_identifier: str | None = None
    created_after: datetime | None = None
    """Inclusive, to the millisecond."""
    created_before: datetime | None = None
    """Exclusive, to the millisecond."""


def conditions_of(runs: RunFilter) -> tuple[Condition, ...]:
    """All that the filter says."""
    return (*(one_of(column, values) for column, values in values_of(runs).items()), *dates_of(runs))


def values_of(runs: RunFilter) -> dict[str, Sequence[str]]:
    """Of each column that is asked for, the values that it may have."""
    single = {
        "project": runs.project,
        "job": runs.job,
        "worker": runs.worker,
        "source_kind": runs.source_kind,
        "source_identifier": runs.source_identifier,
    }
    values: dict[str, Sequence[str]] = {column: (str(value),) for column, value in single.items() if value is not None}
    if runs.statuses is not None:
        values["status"] = [status.value for status in dict.fromkeys(runs.statuses)]
    return values


def one_of(column: str, values: Sequence[str]) -> Condition:
    return equal(column, values[0]) if len(values) == 1 else among(column, values)


def dates_of(runs: RunFilter) -> Iterator[Condition]:
    if runs.created_after is not None:
        first = first_run_identifier(_milliseconds(runs.created_after))
        yield Condition("identifier", Operator.GREATER_EQUAL, first)
    if runs.created_before is not None:
        end = first_run_identifier(_milliseconds(runs.created_before))
        yield Condition("identifier", Operator.LESS, end)


def _milliseconds(date: datetime) -> int:
    return min(max(to_microseconds(date) // 1000, 0), _MOST_MILLISECONDS)
