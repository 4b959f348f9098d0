"""Results by the keys that the settings name, so that runs are found by them."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from job_orchestra.storage.mongo.migrations.steps import create_collection, create_index


def upgrade(database: Database[dict[str, Any]]) -> None:
    create_collection(database, "run_values")
    create_index(database, "run_values", "run_values_by_path_run_value", ("_id.path", "_id.run", "_id.value"))
    create_index(database, "run_values", "run_values_by_run", ("_id.run",))
    create_collection(database, "result_keys")
