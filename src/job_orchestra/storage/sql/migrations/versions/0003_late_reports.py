"""Late reports of attempts that count no more; the workers that have runs are found by index."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import integer, json, number, text
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.create_table(
        "late_reports",
        text("run", 64),
        integer("attempt"),
        text("worker", 64),
        integer("lost_at"),
        integer("received_at", nullable=True),
        text("status", 64),
        text("reason_code", nullable=True),
        text("reason", nullable=True),
        integer("started_at", nullable=True),
        integer("ended_at", nullable=True),
        number("duration"),
        json("results"),
        integer("journal_sequence"),
        integer("log_size"),
        text("log_sha256", nullable=True),
        key=("run", "attempt"),
    )
    schema.create_table(
        "late_events",
        text("run", 64),
        integer("attempt"),
        integer("sequence"),
        text("kind", 64),
        integer("date"),
        json("data"),
        key=("run", "attempt", "sequence"),
    )
    schema.create_index("runs", "status", "worker", "identifier")
    schema.drop_index("runs", "worker", "status", "identifier")
