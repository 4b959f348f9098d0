"""What is wrong with what was typed, by the field of the form that tells it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from job_orchestra.domain.errors import Invalid, OrchestraError

WHOLE = ""
"""The place of what is wrong with no field by itself."""

_SAME: Mapping[str, str] = MappingProxyType({})


def by_field(error: OrchestraError, fields: Collection[str], names: Mapping[str, str] = _SAME) -> dict[str, str]:
    """All that the error tells; `names` are those of fields that the service calls otherwise."""
    if not isinstance(error, Invalid):
        return {WHOLE: error.message}
    told: dict[str, str] = {}
    for mistake in error.mistakes:
        place = mistake.place.partition("[")[0]
        name = names.get(place, place)
        name, words = (name, mistake.message) if name in fields else (WHOLE, str(mistake))
        told[name] = f"{told[name]}; {words}" if name in told else words
    return told
