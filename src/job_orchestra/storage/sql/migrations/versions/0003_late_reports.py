"""Late reports of attempts that count no more; the workers that have runs are found by index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
NUMBER = sa.Double[float]()
JSON = sa.Text().with_variant(postgresql.JSON(), "postgresql")


def upgrade() -> None:
    _create_late_reports()
    _create_late_events()
    op.create_index("runs_by_status_worker_identifier", "runs", ["status", "worker", "identifier"], unique=False)
    op.drop_index("runs_by_worker_status_identifier", "runs")


def _create_late_reports() -> None:
    op.create_table(
        "late_reports",
        sa.Column("run", TEXT, nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("worker", TEXT, nullable=False),
        sa.Column("lost_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("reason_code", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("duration", NUMBER, nullable=True),
        sa.Column("results", JSON, nullable=False),
        sa.Column("journal_sequence", sa.BigInteger(), nullable=False),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
        sa.Column("log_sha256", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("run", "attempt"),
    )


def _create_late_events() -> None:
    op.create_table(
        "late_events",
        sa.Column("run", TEXT, nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.PrimaryKeyConstraint("run", "attempt", "sequence"),
    )
