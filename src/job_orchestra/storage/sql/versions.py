"""The version of a database's schema as it is written there, with a mark behind it while rows are being loaded."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

TABLE = "alembic_version"
"""Its name, and that of its column, are older than our own migrations."""
QUERY = f"SELECT version_num FROM {TABLE}"  # noqa: S608 - a name of ours
LONGEST = 32

_LOADING = "-loading-"
_BYTES = 6


@dataclass(frozen=True, slots=True)
class StoredVersion:
    version: str
    load: str | None = None
    """Of which load the rows are that are there; None where none is under way."""

    @classmethod
    def of(cls, text: str) -> StoredVersion:
        version, _, load = text.partition(_LOADING)
        return cls(version, load or None)

    @classmethod
    def of_new_load(cls, version: str) -> StoredVersion:
        return cls(version, secrets.token_hex(_BYTES))

    def __str__(self) -> str:
        """Programs that know of no loads take it for a version that is newer than their own, and leave it alone."""
        return self.version if self.load is None else f"{self.version}{_LOADING}{self.load}"
