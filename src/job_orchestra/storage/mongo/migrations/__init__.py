"""The steps from each schema to the next, one module each in `versions/`; they never change once released.

Their numbers are those of `storage/schema.py: VERSION`, of which 4 was the first that MongoDB had. A step can be
interrupted anywhere and is then carried out once more: whatever it makes may be there already.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pymongo.database import Database

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange
from job_orchestra.storage.mongo.versions import StoredVersion, advance_version
from job_orchestra.storage.port import SchemaState


def newest_version() -> str:
    return version_of(_names()[-1])


def migrations_after(version: str | None) -> tuple[str, ...] | None:
    """The names of the later ones; None if this program does not know that version."""
    if version is None:
        return _names()
    versions = [version_of(name) for name in _names()]
    return _names()[versions.index(version) + 1 :] if version in versions else None


def version_of(name: str) -> str:
    return name.partition("_")[0]


def state_of(stored: StoredVersion | None) -> SchemaState:
    if stored is None:
        return SchemaState.MISSING
    if stored.load is not None:
        return SchemaState.INCOMPLETE
    if stored.version == newest_version():
        return SchemaState.CURRENT
    return SchemaState.NEWER if migrations_after(stored.version) is None else SchemaState.OLDER


def migrate(database: Database[dict[str, Any]], name: str, tell: Callable[[str], None]) -> None:
    """One migration, on a schema of the version before it, told step by step."""
    module = import_module(f"{__name__}.versions.{name}")
    module.upgrade(SchemaChange(database, lambda step: tell(f"{name}: {step}")))
    advance_version(database, version_of(name))


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in Path(__file__).with_name("versions").glob("[0-9]*.py")))
