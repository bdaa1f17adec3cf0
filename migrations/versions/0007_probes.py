"""Days of probes, and where a provider's state changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "probe_days",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("day", BIG, autoincrement=False, nullable=False),
        sa.Column("every_seconds", BIG, nullable=False),
        sa.Column("slots", sa.LargeBinary(), nullable=False),
        sa.Column("capacities", JSON, nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("provider", "day", name=op.f("pk_probe_days")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_probe_days_sealed_day"), "probe_days", ["sealed", "day"])
    op.create_table(
        "probe_changes",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, autoincrement=False, nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("capacity", JSON, nullable=False),
        sa.Column("observations", JSON, nullable=False),
        sa.PrimaryKeyConstraint("provider", "at_ns", name=op.f("pk_probe_changes")),
    )


def downgrade() -> None:
    op.drop_table("probe_changes")
    op.drop_table("probe_days")
