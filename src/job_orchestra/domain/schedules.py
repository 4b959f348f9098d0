from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from job_orchestra.domain.json import JsonObject, JsonValue


class MissingTime(StrEnum):
    """What becomes of a local time that does not exist."""

    NEXT = "next"
    """It counts for the first moment behind the gap."""
    SKIP = "skip"


class RepeatedTime(StrEnum):
    """What becomes of a local time that exists twice."""

    ONCE = "once"
    """The first one counts."""
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """What the configuration says of a schedule."""

    job: str
    expression: str
    time_zone: str = "UTC"
    missing_time: MissingTime | None = None
    """By default `next` or, for expressions of every hour, `skip`."""
    repeated_time: RepeatedTime | None = None
    """By default `once` or, for expressions of every hour, `twice`."""
    parameters: JsonObject = field(default_factory=dict[str, JsonValue])
    description: str = ""
    is_enabled_at_first: bool = False
    """What the users' switch is set to when the schedule is first seen."""


@dataclass(frozen=True, slots=True)
class Schedule:
    project: str
    identifier: str
    settings: ScheduleSettings
    is_active: bool
    is_enabled: bool
    changed_at: datetime
