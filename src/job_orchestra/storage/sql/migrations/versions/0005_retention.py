"""Runs can be pinned; those that are being removed are written down until nothing of them is left."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    # The default is for the rows that are there; none stays, as no other column has one.
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("is_pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("is_pinned", server_default=None, existing_type=sa.Boolean(), existing_nullable=False)
    op.create_table(
        "removals",
        sa.Column("run", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run"),
    )
