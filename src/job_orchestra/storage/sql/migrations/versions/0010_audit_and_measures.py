"""Who did what, how much there was to do, and which masters there are."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import integer, json, text
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    schema.create_table(
        "audit",
        text("identifier", 64),
        integer("date"),
        text("origin", 64),
        text("user", 64),
        text("token", 64, nullable=True),
        text("action", 64),
        text("project", 64, nullable=True),
        json("target"),
        text("outcome", 64),
        integer("status", nullable=True),
        json("details"),
        key=("identifier",),
    )
    for column in ("user", "action", "project", "outcome"):
        schema.create_index("audit", column, "identifier")
    schema.create_table(
        "masters",
        text("identifier", 64),
        text("version"),
        text("url"),
        integer("started_at"),
        integer("seen_at"),
        integer("stopped_at", nullable=True),
        integer("configured_at", nullable=True),
        text("configuration_trouble"),
        key=("identifier",),
    )
    numbers = (integer(name) for name in ("minute", "waiting", "running", "workers", "executors", "in_use"))
    schema.create_table("measures", *numbers, key=("minute",))
