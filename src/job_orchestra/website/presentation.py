"""How dates, durations and sizes are written on pages: short, exact, with their unit."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.links import is_link


def parse_moment(text: str) -> datetime:
    """The moment that the service wrote in ISO 8601."""
    return datetime.fromisoformat(text).astimezone(UTC)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """As clocks there show it; unchanged where the calendar of dates ends."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def moment_words(text: str, zone: tzinfo = UTC) -> str:
    moment = in_zone(parse_moment(text), zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.year >= 1000 else f"{moment.year:04}-{moment:%m-%d %H:%M:%S}"


def elapsed(start: str, now: datetime) -> float:
    """Seconds since then; never negative, though another host's clock wrote the date."""
    return max(0.0, (now - parse_moment(start)).total_seconds())


def duration_words(seconds: float) -> str:
    """Two units at most: `85 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0.9995:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, smaller, smaller_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s"


def size_words(size: int) -> str:
    """`512 B`, `1.5 KiB`, `23 MiB`."""
    if size < 1024:
        return f"{size} B"
    amount, units = size / 1024, ["TiB", "GiB", "MiB", "KiB"]
    unit = units.pop()
    while amount >= 999.5 and units:
        amount, unit = amount / 1024, units.pop()
    return f"{amount:.1f} {unit}" if amount < 99.95 else f"{amount:.0f} {unit}"


def value_words(value: JsonValue) -> str:
    """A setting, or a detail of an entry: on one line, and none of what is nested."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value_words(one) for one in value) or "none"
    if isinstance(value, dict):
        return "…"
    return "none" if value is None or value == "" else str(value)


def safe_url(text: str) -> str | None:
    """The text where it is an address that may become a link (http and https only), or None."""
    return text if is_link(text) else None
