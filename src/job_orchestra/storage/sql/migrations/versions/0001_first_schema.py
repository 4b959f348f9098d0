"""First schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
NUMBER = sa.Double[float]()
JSON = sa.Text().with_variant(postgresql.JSON(), "postgresql")


def upgrade() -> None:
    _create_projects()
    _create_jobs()
    _create_schedules()
    _create_runs()
    _create_run_events()
    _create_workers()
    _create_users()
    _create_tokens()


def _create_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("identifier", TEXT, nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identifier"),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("identifier", TEXT, nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "identifier"),
    )


def _create_schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("identifier", TEXT, nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "identifier"),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("identifier", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("request", JSON, nullable=False),
        sa.Column("queue_key", TEXT, nullable=False),
        sa.Column("urgency", sa.BigInteger(), nullable=False),
        sa.Column("source_kind", TEXT, nullable=False),
        sa.Column("source_identifier", TEXT, nullable=False),
        sa.Column("idempotency_key", TEXT, nullable=True),
        sa.Column("retry_of", TEXT, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("should_cancel", sa.Boolean(), nullable=False),
        sa.Column("should_abort", sa.Boolean(), nullable=False),
        sa.Column("wished_by", TEXT, nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("reason_code", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("worker", TEXT, nullable=True),
        sa.Column("assigned_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("duration", NUMBER, nullable=True),
        sa.Column("results", JSON, nullable=False),
        sa.Column("journal_sequence", sa.BigInteger(), nullable=False),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
        sa.Column("log_sha256", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("identifier"),
    )
    op.create_index("runs_by_project_job_idempotency_key", "runs", ["project", "job", "idempotency_key"], unique=True)
    op.create_index("runs_by_project_identifier", "runs", ["project", "identifier"], unique=False)
    op.create_index("runs_by_project_job_identifier", "runs", ["project", "job", "identifier"], unique=False)
    op.create_index("runs_by_project_status_identifier", "runs", ["project", "status", "identifier"], unique=False)
    op.create_index(
        "runs_by_project_job_status_identifier", "runs", ["project", "job", "status", "identifier"], unique=False
    )
    op.create_index("runs_by_status_identifier", "runs", ["status", "identifier"], unique=False)
    op.create_index(
        "runs_by_status_queue_key_urgency_identifier",
        "runs",
        ["status", "queue_key", "urgency", "identifier"],
        unique=False,
    )
    op.create_index("runs_by_worker_status_identifier", "runs", ["worker", "status", "identifier"], unique=False)
    op.create_index("runs_by_worker_identifier", "runs", ["worker", "identifier"], unique=False)
    op.create_index(
        "runs_by_source_kind_source_identifier_identifier",
        "runs",
        ["source_kind", "source_identifier", "identifier"],
        unique=False,
    )
    op.create_index(
        "runs_by_status_should_cancel_should_abort_identifier",
        "runs",
        ["status", "should_cancel", "should_abort", "identifier"],
        unique=False,
    )


def _create_run_events() -> None:
    op.create_table(
        "run_events",
        sa.Column("run", TEXT, nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.PrimaryKeyConstraint("run", "attempt", "sequence"),
    )


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("identifier", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("instance", TEXT, nullable=False),
        sa.Column("description", JSON, nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("should_drain", sa.Boolean(), nullable=False),
        sa.Column("should_disconnect", sa.Boolean(), nullable=False),
        sa.Column("is_connected", sa.Boolean(), nullable=False),
        sa.Column("connected_at", sa.BigInteger(), nullable=True),
        sa.Column("disconnected_at", sa.BigInteger(), nullable=True),
        sa.Column("skew", NUMBER, nullable=True),
        sa.Column("master", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("identifier"),
    )
    op.create_index("workers_by_owner_identifier", "workers", ["owner", "identifier"], unique=False)


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("identifier", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("roles", JSON, nullable=False),
        sa.Column("password", TEXT, nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identifier"),
    )


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("identifier", TEXT, nullable=False),
        sa.Column("user", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("identifier"),
    )
    op.create_index("tokens_by_sha256", "tokens", ["sha256"], unique=True)
    op.create_index("tokens_by_user_identifier", "tokens", ["user", "identifier"], unique=False)
    op.create_index("tokens_by_kind_expires_at", "tokens", ["kind", "expires_at"], unique=False)
