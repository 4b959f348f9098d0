"""Whether this program may use the schema that a database has: none but its own."""

from __future__ import annotations

from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import SchemaState, StorageAdministration, StorageUnavailable


def require_current(administration: StorageAdministration) -> None:
    """Conflict if it is older or newer than this program's; StorageUnavailable if there is none yet, or none to see.

    Likewise while an import is under way: it is worth waiting for.
    """
    state = administration.state()
    if state is SchemaState.CURRENT:
        return
    there, wanted = administration.versions()
    sentence = f"The database {advice(state, there, wanted)}."
    is_to_come = state in (SchemaState.MISSING, SchemaState.INCOMPLETE)
    raise StorageUnavailable(sentence) if is_to_come else Conflict(sentence)


def advice(state: SchemaState, there: str | None, wanted: str) -> str:
    """The end of a sentence that begins with the database: what it has, and what helps."""
    match state:
        case SchemaState.MISSING:
            return "has no schema yet; `orchestra database create` creates it"
        case SchemaState.OLDER:
            return f"has schema {there}, this program needs {wanted}; `orchestra database upgrade` brings it there"
        case SchemaState.CURRENT:
            return f"has schema {there}, as needed"
        case SchemaState.NEWER:
            return f"has schema {there}, this program knows none above {wanted}; install the newer program"
        case SchemaState.INCOMPLETE:
            return (
                "is not complete: an import is under way, or did not come to its end; "
                "`orchestra database import` starts it over"
            )
