"""How long a new token is valid, as forms offer it."""

from __future__ import annotations

from job_orchestra.domain.errors import Invalid

LIFETIMES = {"7": "a week", "30": "30 days", "90": "90 days", "365": "a year", "": "for ever"}
"""Days, and how they are written in the form."""
USUAL = "90"

_DAY = 24 * 3600.0


def read_lifetime(days: str) -> float | None:
    """Seconds, None for ever; Invalid at the field `days` if it is not offered."""
    if days not in LIFETIMES:
        raise Invalid.at("days", f"must be one of {', '.join(filter(None, LIFETIMES))} or empty")
    return float(days) * _DAY if days else None
