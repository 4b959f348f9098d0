"""The composition classes that the settings name."""

from __future__ import annotations

from typing import TypeVar

from job_orchestra.composition.base import Composition
from job_orchestra.composition.users_code import import_name
from job_orchestra.domain.errors import Invalid
from job_orchestra.settings.sections import Settings

AnyComposition = TypeVar("AnyComposition", bound=Composition)


def load_composition(section: str, base: type[AnyComposition], settings: Settings) -> AnyComposition:
    """Of the class in `[section] composition`; Invalid unless it is `base` or a subclass of it."""
    name = {
        "master": settings.master.composition,
        "service": settings.service.composition,
        "website": settings.website.composition,
        "worker": settings.worker.composition,
    }[section]
    place = f"[{section}] composition"
    found = import_name(name, settings.directory, place)
    if not isinstance(found, type) or not issubclass(found, base):
        raise Invalid.at(place, f"{name!r} is no subclass of {base.__module__}.{base.__name__}")
    return found(settings)
