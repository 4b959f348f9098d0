"""The plain form of a retention: what is stored and may be written in a projects file."""

from __future__ import annotations

from job_orchestra.domain.checking import Reader
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.retention import Retention

MOST_DAYS = 36_500
MOST_COUNT = 1_000_000
"""To find out that there are so many, a database has to walk along an index."""


def retention_to_data(retention: Retention | None) -> JsonObject | None:
    if retention is None:
        return None
    return {
        "days": retention.days,
        "count": retention.count,
        "failure_days": retention.failure_days,
        "failure_count": retention.failure_count,
    }


_FIELDS = ("days", "count", "failure_days", "failure_count")


def read_retention(reader: Reader) -> Retention | None:
    """None where nothing is said."""
    if reader.value is None:
        return None
    table = reader.table((), _FIELDS, "a Retention, or a table with " + ", ".join(_FIELDS))
    return Retention(
        days=table.read("days", _days, None),
        count=table.read("count", _count, None),
        failure_days=table.read("failure_days", _days, None),
        failure_count=table.read("failure_count", _count, None),
    )


def _days(reader: Reader) -> int | None:
    return None if reader.value is None else reader.integer(1, MOST_DAYS)


def _count(reader: Reader) -> int | None:
    return None if reader.value is None else reader.integer(1, MOST_COUNT)
