"""A run holds a place in its concurrency group, which no other can hold at the same time, and may expire by itself."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import integer, text
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.add_column("runs", text("concurrency_slot", 160, nullable=True))
    schema.create_index("runs", "concurrency_slot", is_unique=True)
    schema.add_column("runs", integer("expires_at", nullable=True))
    schema.create_index("runs", "expires_at", "identifier")
