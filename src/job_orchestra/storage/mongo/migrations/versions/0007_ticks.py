"""Each tick of a schedule leaves a row; since when a schedule ticks is written down."""

from __future__ import annotations

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.create_collection("ticks")
    number = ("_id.project", "_id.schedule", "number")
    schema.create_unique_index("ticks", "ticks_by_project_schedule_number", *number)
    schema.create_index("ticks", "ticks_by_state_project_schedule_number", "state", *number)
