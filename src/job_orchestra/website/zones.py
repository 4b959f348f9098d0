"""The time zone in which a visitor reads dates: chosen on the profile page, and kept by the browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import available_timezones

from job_orchestra.domain.cron import time_zone

_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Zone:
    """By its IANA name, `Europe/Paris`."""

    name: str
    rules: tzinfo

    @property
    def label(self) -> str:
        """Short, for heads of columns: `UTC`, `Paris`, `New York`."""
        return self.name.rpartition("/")[2].replace("_", " ")

    def moment(self, text: str) -> datetime:
        """What somebody typed; without a zone of its own it is a date of clocks in this one. ValueError for none."""
        date = datetime.fromisoformat(text)
        try:
            return (date if date.tzinfo is not None else date.replace(tzinfo=self.rules)).astimezone(UTC)
        except OverflowError:
            raise ValueError("is out of reach") from None


UTC_ZONE = Zone("UTC", UTC)


def zone_named(name: str) -> Zone:
    """ValueError if there is none of that name."""
    if len(name) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    rules = time_zone(name)
    if name not in zone_names():
        raise ValueError("is no time zone of a place")
    return Zone(name, rules)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """All that there are, without those that mean whatever a host is set to."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def zone_of_cookie(name: str | None) -> Zone:
    """UTC for a browser that has told none, or nonsense."""
    try:
        return zone_named(name) if name else UTC_ZONE
    except ValueError:
        return UTC_ZONE
