"""The master that holds a worker's connection says so now and then, so that others can tell when it no longer does."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import integer
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.add_column("workers", integer("seen_at"), for_rows=0)
