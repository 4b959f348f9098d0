"""Results by the keys that the settings name, so that runs are found by them."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import integer, text
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.create_table(
        "run_values", text("path", 300), text("value", 200), text("run", 64), key=("path", "value", "run")
    )
    schema.create_index("run_values", "path", "run", "value")
    schema.create_index("run_values", "run")
    schema.create_table(
        "result_keys", text("path", 300), text("state"), text("position"), integer("named_at"), key=("path",)
    )
