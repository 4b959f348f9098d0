"""The steps from each schema to the next, one module each in `versions/`, numbered; they never change once released.

A migration is a function `upgrade` over a `SchemaChange`. On MariaDB and MySQL each of its steps is committed by
itself; what an interruption left half done is finished by doing it again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from job_orchestra.storage.port import SchemaState
from job_orchestra.storage.sql.versions import StoredVersion

if TYPE_CHECKING:
    from sqlalchemy import Connection


def migrate(connection: Connection, name: str, tell: Callable[[str], None]) -> None:
    """One migration, on a schema of the version before it, told step by step; to be committed by the caller."""
    from job_orchestra.storage.sql.migrations.schema_change import SchemaChange
    from job_orchestra.storage.sql.migrations.version_table import write_version

    module = import_module(f"{__name__}.versions.{name}")
    module.upgrade(SchemaChange(connection, lambda step: tell(f"{name}: {step}")))
    write_version(connection, StoredVersion(version_of(name)))


def newest_version() -> str:
    return version_of(migration_names()[-1])


def migrations_after(version: str | None) -> tuple[str, ...] | None:
    """The names of the later ones, of all after None; None if this program does not know that version."""
    names = migration_names()
    if version is None:
        return names
    versions = [version_of(name) for name in names]
    return names[versions.index(version) + 1 :] if version in versions else None


def state_of(stored: StoredVersion | None) -> SchemaState:
    if stored is None:
        return SchemaState.MISSING
    if stored.load is not None:
        return SchemaState.INCOMPLETE
    if stored.version == newest_version():
        return SchemaState.CURRENT
    return SchemaState.NEWER if migrations_after(stored.version) is None else SchemaState.OLDER


@cache
def migration_names() -> tuple[str, ...]:
    """In their order."""
    return tuple(sorted(path.stem for path in Path(__file__).with_name("versions").glob("[0-9]*.py")))


def version_of(name: str) -> str:
    return name.partition("_")[0]
