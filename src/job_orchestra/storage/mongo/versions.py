"""The document that says which schema a database has, with a mark in it while rows are being loaded.

It is written last when a schema is created: where there is none, there is no schema, or one that was interrupted.
"""

from __future__ import annotations

from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from job_orchestra.storage.schema_versions import StoredVersion

COLLECTION = "schema"

_ID = {"_id": "version"}


def read_version(database: Database[dict[str, Any]], session: ClientSession | None = None) -> StoredVersion | None:
    document = database[COLLECTION].find_one(_ID, session=session)
    return None if document is None else StoredVersion(str(document["version"]), document.get("load"))


def create_version(database: Database[dict[str, Any]], version: str) -> bool:
    """What makes a new schema that of this program; one process of several that made it together is told True."""
    try:
        database[COLLECTION].insert_one({**_ID, "version": version})
    except DuplicateKeyError:
        return False
    return True


def advance_version(database: Database[dict[str, Any]], version: str) -> None:
    """The step to it was carried out, and perhaps later ones by somebody else."""
    database[COLLECTION].update_one({**_ID, "version": {"$lt": version}}, {"$set": {"version": version}})


def replace_mark(database: Database[dict[str, Any]], old: StoredVersion, load: str | None) -> bool:
    """Compare and set; None takes the mark away."""
    stored = {**_ID, "version": old.version, "load": old.load}
    change = {"$unset": {"load": ""}} if load is None else {"$set": {"load": load}}
    return database[COLLECTION].update_one(stored, change).matched_count == 1
