"""Runs can be pinned; those that are being removed are written down until nothing of them is left."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import flag, integer, text
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.add_column("runs", flag("is_pinned"), for_rows=False)
    schema.create_table("removals", text("run", 64), text("project", 64), integer("attempt"), key=("run",))
