"""Runs can be pinned; those that are being removed are written down until nothing of them is left."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from job_orchestra.storage.mongo.migrations.steps import create_collection, set_default


def upgrade(database: Database[dict[str, Any]]) -> None:
    set_default(database, "runs", "is_pinned", False)
    create_collection(database, "removals")
