"""All collections of the first version that had MongoDB."""

from __future__ import annotations

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange

_COLLECTIONS = (
    "projects",
    "jobs",
    "schedules",
    "runs",
    "run_events",
    "late_reports",
    "late_events",
    "workers",
    "users",
    "tokens",
)
_INDEXES = (
    ("runs", "runs_by_project_identifier", ("project", "_id")),
    ("runs", "runs_by_project_job_identifier", ("project", "job", "_id")),
    ("runs", "runs_by_project_status_identifier", ("project", "status", "_id")),
    ("runs", "runs_by_project_job_status_identifier", ("project", "job", "status", "_id")),
    ("runs", "runs_by_status_identifier", ("status", "_id")),
    ("runs", "runs_by_status_queue_key_urgency_identifier", ("status", "queue_key", "urgency", "_id")),
    ("runs", "runs_by_status_worker_identifier", ("status", "worker", "_id")),
    ("runs", "runs_by_worker_identifier", ("worker", "_id")),
    ("runs", "runs_by_source_kind_source_identifier_identifier", ("source_kind", "source_identifier", "_id")),
    (
        "runs",
        "runs_by_status_should_cancel_should_abort_identifier",
        ("status", "should_cancel", "should_abort", "_id"),
    ),
    ("workers", "workers_by_owner_identifier", ("owner", "_id")),
    ("tokens", "tokens_by_user_identifier", ("user", "_id")),
    ("tokens", "tokens_by_kind_expires_at", ("kind", "expires_at")),
)


def upgrade(schema: SchemaChange) -> None:
    for name in _COLLECTIONS:
        schema.create_collection(name)
    for collection, name, paths in _INDEXES:
        schema.create_index(collection, name, *paths)
    schema.create_unique_index(
        "runs",
        "runs_by_project_job_idempotency_key",
        *("project", "job", "idempotency_key"),
        nullable="idempotency_key",
    )
    schema.create_unique_index("tokens", "tokens_by_sha256", "sha256")
