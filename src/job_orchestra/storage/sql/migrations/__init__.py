"""The steps from each schema to the next, one module each in `versions/`, numbered; they never change once released."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection


def migrate(connection: Connection, version: str = "head") -> None:
    """Step by step up to that version, in the transaction of the connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "job_orchestra.storage.sql:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def newest_version() -> str:
    return _version_of(_names()[-1])


def versions_after(version: str) -> tuple[str, ...] | None:
    """The names of the later ones; None if this program does not know that version."""
    versions = [_version_of(name) for name in _names()]
    return _names()[versions.index(version) + 1 :] if version in versions else None


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in Path(__file__).with_name("versions").glob("[0-9]*.py")))


def _version_of(name: str) -> str:
    return name.partition("_")[0]
