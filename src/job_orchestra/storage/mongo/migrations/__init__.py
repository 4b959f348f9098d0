"""The steps from each schema to the next, one module each in `versions/`, numbered; they never change once released.

A step can be interrupted anywhere and is then carried out once more: whatever it makes may be there already.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

VERSION_COLLECTION = "schema"
_VERSION = "version"


def version_in(database: Database[dict[str, Any]]) -> str | None:
    """None if there is no schema, or one whose creation was interrupted."""
    document = database[VERSION_COLLECTION].find_one({"_id": _VERSION})
    return None if document is None else str(document["version"])


def newest_version() -> str:
    return _version_of(_names()[-1])


def versions_after(version: str | None) -> tuple[str, ...] | None:
    """The names of the later ones; None if this program does not know that version."""
    if version is None:
        return _names()
    versions = [_version_of(name) for name in _names()]
    return _names()[versions.index(version) + 1 :] if version in versions else None


def carry_out(database: Database[dict[str, Any]], name: str) -> None:
    import_module(f"{__name__}.versions.{name}").upgrade(database)


def claim(database: Database[dict[str, Any]]) -> bool:
    """What makes a new schema that of this program; one process of several that made it together is told True."""
    try:
        database[VERSION_COLLECTION].insert_one({"_id": _VERSION, "version": newest_version()})
    except DuplicateKeyError:
        return False
    return True


def advance(database: Database[dict[str, Any]], name: str) -> None:
    """The step was carried out."""
    database[VERSION_COLLECTION].update_one(
        {"_id": _VERSION, "version": {"$lt": _version_of(name)}}, {"$set": {"version": _version_of(name)}}
    )


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in Path(__file__).with_name("versions").glob("[0-9]*.py")))


def _version_of(name: str) -> str:
    return name.partition("_")[0]
