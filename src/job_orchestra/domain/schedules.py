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


class CatchUp(StrEnum):
    """What becomes of ticks that came due while no master was there."""

    NONE = "none"
    """They make no runs."""
    LATEST = "latest"
    """The last of them makes a run, unless one that is on time follows at once."""
    ALL = "all"
    """Each makes a run, one after the other."""


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
    catch_up: CatchUp = CatchUp.LATEST
    catch_up_age: float | None = None
    """Seconds behind which a tick that was missed makes no run any more; None: however old it is."""
    parameters: JsonObject = field(default_factory=dict[str, JsonValue])
    description: str = ""
    is_enabled_at_first: bool = False
    """What the users' switch is set to when the schedule is first seen."""


TIMETABLE_FIELDS = ("expression", "time_zone", "missing_time", "repeated_time")
"""Those of the settings that say when the schedule ticks."""


@dataclass(frozen=True, slots=True)
class Schedule:
    project: str
    identifier: str
    settings: ScheduleSettings
    is_active: bool
    is_enabled: bool
    changed_at: datetime
    enabled_at: datetime | None = None
    """When it was switched on last; written by the service, and by the master where it begins enabled."""
    timetable_since: datetime | None = None
    """Since when it ticks at these times; written by the master. None in records of before it ticked."""
    flaw: str = ""
    """Why its record cannot be read, if so; the settings are empty then."""

    @property
    def is_ticking(self) -> bool:
        return self.is_active and self.is_enabled

    @property
    def since(self) -> datetime:
        """Ticks of up to then are none of its: they are neither recorded nor caught up with."""
        moments = [moment for moment in (self.enabled_at, self.timetable_since) if moment is not None]
        return max(moments, default=self.changed_at)
