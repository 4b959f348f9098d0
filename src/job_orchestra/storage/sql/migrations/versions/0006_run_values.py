"""Results by the keys that the settings name, so that runs are found by them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "run_values",
        sa.Column("path", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("run", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("path", "value", "run"),
    )
    op.create_index("run_values_by_path_run_value", "run_values", ["path", "run", "value"], unique=False)
    op.create_index("run_values_by_run", "run_values", ["run"], unique=False)
    op.create_table(
        "result_keys",
        sa.Column("path", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("position", TEXT, nullable=False),
        sa.Column("named_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path"),
    )
