"""Users count the changes of what they may do, so that compare-and-set can tell whether they are as they were seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # The default is for the rows that are there; none stays, as no other column has one.
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("users") as users:
        users.alter_column("revision", server_default=None, existing_type=sa.BigInteger(), existing_nullable=False)
