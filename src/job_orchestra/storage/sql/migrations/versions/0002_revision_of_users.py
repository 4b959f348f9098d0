"""Users count the changes of what they may do, so that compare-and-set can tell whether they are as they were seen."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import integer
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.add_column("users", integer("revision"), for_rows=0)
