"""The adapter for a database, chosen by the scheme of its URL."""

from __future__ import annotations

import re
from pathlib import Path

from job_orchestra.domain.errors import Invalid
from job_orchestra.storage import mongo, sql
from job_orchestra.storage.port import Storage, StorageAdministration


def open_storage(url: str, directory: Path | None = None) -> Storage:
    """Connects only when it is used. Invalid at `database.url`; a relative path of SQLite is taken from `directory`."""
    return mongo.open_storage(url) if _is_of_mongo(url) else sql.open_storage(url, directory)


def open_administration(url: str, directory: Path | None = None) -> StorageAdministration:
    """Likewise."""
    return mongo.open_administration(url) if _is_of_mongo(url) else sql.open_administration(url, directory)


def _is_of_mongo(url: str) -> bool:
    """Otherwise it is for SQL, which also says what is wrong with what is no URL at all."""
    scheme, separator, _ = url.partition("://")
    known = sorted((*mongo.SCHEMES, *sql.SCHEMES))
    if separator and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) and scheme not in known:
        names = ", ".join(map(repr, known[:-1]))
        raise Invalid.at("database.url", f"has the scheme {scheme!r}; {names} and {known[-1]!r} are known")
    return scheme in mongo.SCHEMES
