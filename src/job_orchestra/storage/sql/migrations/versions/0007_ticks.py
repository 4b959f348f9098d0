"""Each tick of a schedule leaves a row; since when a schedule ticks is written down."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import integer, json, text
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.add_column("schedules", integer("enabled_at", nullable=True))
    schema.add_column("schedules", integer("timetable_since", nullable=True))
    schema.create_table(
        "ticks",
        text("project", 64),
        text("schedule", 64),
        integer("due"),
        integer("number"),
        text("state", 64),
        text("job", 64),
        integer("decided_at"),
        json("request", nullable=True),
        text("run", 64, nullable=True),
        text("detail"),
        key=("project", "schedule", "due"),
    )
    schema.create_index("ticks", "project", "schedule", "number", is_unique=True)
    schema.create_index("ticks", "state", "project", "schedule", "number")
