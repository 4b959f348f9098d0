"""A run holds a place in its concurrency group, which no other can hold at the same time, and may expire by itself."""

from __future__ import annotations

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.create_unique_index("runs", "runs_by_concurrency_slot", "concurrency_slot", nullable="concurrency_slot")
    schema.create_index("runs", "runs_by_expires_at_identifier", "expires_at", "_id")
