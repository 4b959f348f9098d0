"""Settings as they may be shown to whoever administers the installation: without secrets."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from job_orchestra.settings.sections import Settings

if TYPE_CHECKING:
    from job_orchestra.domain.json import JsonObject, JsonValue

_SECTIONS = ("projects", "database", "storage", "master", "service", "website", "logging")
"""Those of workers are told by each worker itself, as its properties."""
_CREDENTIALS = re.compile(r"(?<=://)[^/?#]*@")
_OPTIONS = re.compile(r"\?.*", re.DOTALL)
_HIDDEN = "…"


def shown_settings(settings: Settings) -> dict[str, JsonObject]:
    """By section. Of addresses, what stands before the host and behind the question mark is left out."""
    return {section: _section(getattr(settings, section)) for section in _SECTIONS}


def _section(section: object) -> JsonObject:
    assert is_dataclass(section)
    return {field.name: _shown(getattr(section, field.name)) for field in fields(section)}


def _shown(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple):
        return [_shown(one) for one in cast("tuple[object, ...]", value)]
    if isinstance(value, Path):
        return str(value)
    text = str(value)
    if "://" not in text:
        return text
    return _OPTIONS.sub(f"?{_HIDDEN}", _CREDENTIALS.sub(f"{_HIDDEN}@", text))
