"""First schema."""

from __future__ import annotations

from job_orchestra.storage.sql.migrations.columns import flag, integer, json, number, text
from job_orchestra.storage.sql.migrations.schema_change import SchemaChange


def upgrade(schema: SchemaChange) -> None:
    _create_configuration(schema)
    _create_runs(schema)
    _create_workers(schema)
    _create_users(schema)
    _create_tokens(schema)


def _create_configuration(schema: SchemaChange) -> None:
    schema.create_table(
        "projects",
        text("identifier", 64),
        json("settings"),
        flag("is_active"),
        integer("changed_at"),
        key=("identifier",),
    )
    for name in ("jobs", "schedules"):
        schema.create_table(
            name,
            text("project", 64),
            text("identifier", 64),
            json("settings"),
            flag("is_active"),
            flag("is_enabled"),
            integer("changed_at"),
            key=("project", "identifier"),
        )


def _create_runs(schema: SchemaChange) -> None:
    schema.create_table(
        "runs",
        text("identifier", 64),
        text("project", 64),
        text("job", 64),
        json("request"),
        text("queue_key", 160),
        integer("urgency"),
        text("source_kind", 64),
        text("source_identifier", 200),
        text("idempotency_key", 200, nullable=True),
        text("retry_of", nullable=True),
        integer("created_at"),
        flag("should_cancel"),
        flag("should_abort"),
        text("wished_by", nullable=True),
        text("status", 64),
        text("reason_code", nullable=True),
        text("reason", nullable=True),
        integer("attempt"),
        text("worker", 64, nullable=True),
        integer("assigned_at", nullable=True),
        integer("started_at", nullable=True),
        integer("ended_at", nullable=True),
        number("duration"),
        json("results"),
        integer("journal_sequence"),
        integer("log_size"),
        text("log_sha256", nullable=True),
        key=("identifier",),
    )
    schema.create_index("runs", "project", "job", "idempotency_key", is_unique=True)
    schema.create_index("runs", "project", "identifier")
    schema.create_index("runs", "project", "job", "identifier")
    schema.create_index("runs", "project", "status", "identifier")
    schema.create_index("runs", "project", "job", "status", "identifier")
    schema.create_index("runs", "status", "identifier")
    schema.create_index("runs", "status", "queue_key", "urgency", "identifier")
    schema.create_index("runs", "worker", "status", "identifier")
    schema.create_index("runs", "worker", "identifier")
    schema.create_index("runs", "source_kind", "source_identifier", "identifier")
    schema.create_index("runs", "status", "should_cancel", "should_abort", "identifier")
    schema.create_table(
        "run_events",
        text("run", 64),
        integer("attempt"),
        integer("sequence"),
        text("kind", 64),
        integer("date"),
        json("data"),
        key=("run", "attempt", "sequence"),
    )


def _create_workers(schema: SchemaChange) -> None:
    schema.create_table(
        "workers",
        text("identifier", 64),
        text("owner", 64),
        text("instance"),
        json("description"),
        integer("registered_at"),
        flag("is_enabled"),
        flag("should_drain"),
        flag("should_disconnect"),
        flag("is_connected"),
        integer("connected_at", nullable=True),
        integer("disconnected_at", nullable=True),
        number("skew"),
        text("master", 64, nullable=True),
        key=("identifier",),
    )
    schema.create_index("workers", "owner", "identifier")


def _create_users(schema: SchemaChange) -> None:
    schema.create_table(
        "users",
        text("identifier", 64),
        text("display_name"),
        json("roles"),
        text("password", nullable=True),
        flag("is_enabled"),
        integer("created_at"),
        key=("identifier",),
    )


def _create_tokens(schema: SchemaChange) -> None:
    schema.create_table(
        "tokens",
        text("identifier", 64),
        text("user", 64),
        text("kind", 64),
        text("sha256", 64),
        text("description"),
        integer("created_at"),
        integer("expires_at", nullable=True),
        key=("identifier",),
    )
    schema.create_index("tokens", "sha256", is_unique=True)
    schema.create_index("tokens", "user", "identifier")
    schema.create_index("tokens", "kind", "expires_at")
