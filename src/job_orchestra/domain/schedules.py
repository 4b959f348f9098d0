from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from job_orchestra.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """What the configuration says of a schedule."""

    job: str
    expression: str
    time_zone: str = "UTC"
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
