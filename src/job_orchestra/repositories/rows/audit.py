from __future__ import annotations

from job_orchestra.domain.audit import AuditEntry, AuditOrigin, AuditOutcome
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.repositories.rows.columns import (
    json_object,
    moment,
    optional_integer,
    optional_text,
    text,
)
from job_orchestra.storage.port import Row


def entry_to_row(entry: AuditEntry) -> Row:
    return {
        "identifier": entry.identifier,
        "date": to_microseconds(entry.date),
        "origin": entry.origin.value,
        "user": entry.user,
        "token": entry.token,
        "action": entry.action,
        "project": entry.project,
        "target": entry.target,
        **entry_end(entry),
    }


def entry_end(entry: AuditEntry) -> Row:
    """The columns that may change until its request has ended."""
    return {"outcome": entry.outcome.value, "status": entry.status, "details": entry.details}


def entry_from_row(row: Row) -> AuditEntry:
    return AuditEntry(
        identifier=text(row, "identifier"),
        date=moment(row, "date"),
        origin=AuditOrigin(text(row, "origin")),
        action=text(row, "action"),
        user=text(row, "user"),
        token=optional_text(row, "token"),
        project=optional_text(row, "project"),
        target=json_object(row, "target"),
        outcome=AuditOutcome(text(row, "outcome")),
        status=optional_integer(row, "status"),
        details=json_object(row, "details"),
    )
