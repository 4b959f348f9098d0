"""Dates of the API: ISO 8601, UTC, to the millisecond."""

from __future__ import annotations

from datetime import datetime


def iso(date: datetime) -> str:
    return date.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def optional_iso(date: datetime | None) -> str | None:
    return None if date is None else iso(date)
