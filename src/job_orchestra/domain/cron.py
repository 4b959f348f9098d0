"""The form of a schedule's expression. What it means is the business of the master, which has a cron library for it."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo

from job_orchestra.domain.checking import nearest

_LONGEST = 500
_WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def standard_expression(expression: str) -> str:
    """The five fields that an expression stands for; ValueError says what is wrong with its form."""
    if len(expression) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    text = " ".join(expression.split())
    if text.startswith("@"):
        if text not in _WORDS:
            raise ValueError(f"is no known word{nearest(text, list(_WORDS)) or '; known are ' + ', '.join(_WORDS)}")
        return _WORDS[text]
    if text.count(" ") != 4:
        fields = "minute, hour, day of month, month, day of week"
        raise ValueError(f"has {len(text.split())} fields; a cron expression has five: {fields}")
    return text


def time_zone(name: str) -> tzinfo:
    """A zone by its IANA name, such as Europe/Paris; ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("is no time zone; names are those of the IANA database, such as Europe/Paris or UTC") from None
