"""Dates that somebody typed into a filter, as their clocks show them."""

from __future__ import annotations

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.website.visit import Visit


def typed_moments(visit: Visit, **typed: str) -> list[str | None]:
    """As the service takes them, in order of the fields; None for an empty one. Invalid with all that are no dates."""
    moments: list[str | None] = []
    mistakes: list[Mistake] = []
    for name, text in typed.items():
        try:
            moments.append(visit.zone.moment(text).isoformat().replace("+00:00", "Z") if text else None)
        except ValueError:
            mistakes.append(Mistake(name, f"{text[:40]!r} is no date such as {visit.now:%Y-%m-%dT%H:%M}"))
    if mistakes:
        raise Invalid(mistakes)
    return moments
