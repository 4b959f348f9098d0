"""A run remembers its past attempts; where there are none, the field is missing."""

from __future__ import annotations

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    """Nothing is to be done."""
