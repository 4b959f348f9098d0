"""Runs can be pinned; those that are being removed are written down until nothing of them is left."""

from __future__ import annotations

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.set_default("runs", "is_pinned", False)
    schema.create_collection("removals")
