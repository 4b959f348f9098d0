"""Who did what, how much there was to do, and which masters there are."""

from __future__ import annotations

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.create_collection("audit")
    for path in ("user", "action", "project", "outcome"):
        schema.create_index("audit", f"audit_by_{path}_identifier", path, "_id")
    schema.create_collection("masters")
    schema.create_collection("measures")
