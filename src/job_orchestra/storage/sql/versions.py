"""The version of a database's schema as it is written there, with a mark behind it while rows are being loaded."""

from __future__ import annotations

from job_orchestra.storage.schema_versions import StoredVersion

TABLE = "alembic_version"
"""Its name, and that of its column, are older than our own migrations."""
QUERY = f"SELECT version_num FROM {TABLE}"  # noqa: S608 - a name of ours
LONGEST = 32

_LOADING = "-loading-"
_CREATING = "-creating"


def stored_from_text(text: str) -> StoredVersion:
    version, _, load = text.removesuffix(_CREATING).partition(_LOADING)
    return StoredVersion(version, load or None, is_created=not text.endswith(_CREATING))


def stored_to_text(stored: StoredVersion) -> str:
    """Programs that know of no such marks take it for a version that is newer than their own, and leave it alone."""
    if not stored.is_created:
        return f"{stored.version}{_CREATING}"
    return stored.version if stored.load is None else f"{stored.version}{_LOADING}{stored.load}"
