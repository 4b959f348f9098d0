"""A run remembers its past attempts."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import json
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.add_column("runs", json("past_attempts", nullable=True))
