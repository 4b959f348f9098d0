from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.domain.event_records import EventRecord
from job_orchestra.repositories.rows.columns import integer, json_object, text
from job_orchestra.storage.port import Row


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a run's journal, with the attempt that it belongs to."""

    attempt: int
    record: EventRecord


def event_to_row(run: str, attempt: int, record: EventRecord) -> Row:
    return {
        "run": run,
        "attempt": attempt,
        "sequence": record.sequence,
        "kind": record.kind,
        "date": record.date,
        "data": record.data,
    }


def event_from_row(row: Row) -> StoredEvent:
    record = EventRecord(integer(row, "sequence"), text(row, "kind"), integer(row, "date"), json_object(row, "data"))
    return StoredEvent(integer(row, "attempt"), record)
