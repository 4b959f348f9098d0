"""The master that holds a worker's connection says so now and then, so that others can tell when it no longer does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # The default is for the rows that are there; none stays, as no other column has one.
    with op.batch_alter_table("workers") as workers:
        workers.add_column(sa.Column("seen_at", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("workers") as workers:
        workers.alter_column("seen_at", server_default=None, existing_type=sa.BigInteger(), existing_nullable=False)
