"""Which schema a database has, and which migrations it lacks: the same for every adapter."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from job_orchestra.storage.port import SchemaState

_BYTES = 6


@dataclass(frozen=True, slots=True)
class StoredVersion:
    version: str
    load: str | None = None
    """Of which load the rows are that are there; None where none is under way."""
    is_created: bool = True
    """False: this far the creation of a schema has come, which is none before its end."""

    @classmethod
    def of_new_load(cls, version: str) -> StoredVersion:
        return cls(version, secrets.token_hex(_BYTES))


class Migrations:
    """The modules of a folder, each named by the version that it leads to and what it does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def names(self) -> tuple[str, ...]:
        """In their order."""
        return tuple(sorted(path.stem for path in self._folder.glob("[0-9]*.py")))

    @property
    def newest(self) -> str:
        return version_of(self.names[-1])

    def after(self, version: str | None) -> tuple[str, ...] | None:
        """The names of the later ones, of all after None; None if this program does not know that version."""
        if version is None:
            return self.names
        versions = [version_of(name) for name in self.names]
        return self.names[versions.index(version) + 1 :] if version in versions else None

    def state_of(self, stored: StoredVersion | None) -> SchemaState:
        if stored is None or not stored.is_created:
            return SchemaState.MISSING
        if stored.load is not None:
            return SchemaState.INCOMPLETE
        if stored.version == self.newest:
            return SchemaState.CURRENT
        return SchemaState.NEWER if self.after(stored.version) is None else SchemaState.OLDER


def version_of(name: str) -> str:
    return name.partition("_")[0]
