"""Results by the keys that the settings name, so that runs are found by them."""

from __future__ import annotations

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.create_collection("run_values")
    schema.create_index("run_values", "run_values_by_path_run_value", "_id.path", "_id.run", "_id.value")
    schema.create_index("run_values", "run_values_by_run", "_id.run")
    schema.create_collection("result_keys")
