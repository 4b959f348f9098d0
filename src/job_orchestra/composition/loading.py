"""The composition classes that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from job_orchestra.composition.base import Composition
from job_orchestra.composition.users_code import import_name
from job_orchestra.domain.errors import Invalid

AnyComposition = TypeVar("AnyComposition", bound=Composition)


def composition_class(name: str, base: type[AnyComposition], directory: Path, section: str) -> type[AnyComposition]:
    """The class `module:Class`; Invalid unless it is `base` or a subclass of it."""
    place = f"[{section}] composition"
    found = import_name(name, directory, place)
    if not isinstance(found, type) or not issubclass(found, base):
        raise Invalid.at(place, f"{name!r} is no subclass of {base.__module__}.{base.__name__}")
    return found
