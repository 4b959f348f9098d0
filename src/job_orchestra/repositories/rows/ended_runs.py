from __future__ import annotations

from job_orchestra.domain.retention import EndedRun
from job_orchestra.domain.runs import SourceKind
from job_orchestra.repositories.rows.columns import integer, moment, optional_moment, optional_text, text
from job_orchestra.storage.port import Row


def ended_run_from_row(row: Row) -> EndedRun:
    """Without what only the program that stored it may understand."""
    is_of_run = text(row, "source_kind") == SourceKind.RUN.value
    created_at = moment(row, "created_at")
    return EndedRun(
        project=text(row, "project"),
        identifier=text(row, "identifier"),
        attempt=integer(row, "attempt"),
        created_at=created_at,
        ended_at=optional_moment(row, "ended_at") or created_at,
        has_key=optional_text(row, "idempotency_key") is not None,
        source_run=text(row, "source_identifier") if is_of_run else None,
    )
