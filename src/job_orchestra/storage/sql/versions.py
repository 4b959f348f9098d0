"""The version of a database's schema, as Alembic keeps it, with a mark behind it while rows are being loaded."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import sqlalchemy as sa

TABLE = "alembic_version"
QUERY = "SELECT version_num FROM alembic_version"

_LOADING = "-loading-"
_BYTES = 6
"""Alembic's column takes 32 characters."""


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


def read_version(connection: sa.Connection) -> StoredVersion | None:
    """None where there is no schema."""
    if not sa.inspect(connection).has_table(TABLE):
        return None
    text = connection.exec_driver_sql(QUERY).scalar_one_or_none()
    return None if text is None else StoredVersion.of(str(text))


def write_version(connection: sa.Connection, version: StoredVersion) -> None:
    table = sa.table(TABLE, sa.column("version_num", sa.String))
    connection.execute(sa.update(table).values(version_num=str(version)))
