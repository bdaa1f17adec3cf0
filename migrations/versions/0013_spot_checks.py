"""Spot checks of claimed GPUs, and the challenges given for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "spot_seeds",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("made_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "task", name=op.f("pk_spot_seeds")),
    )
    op.create_table(
        "spot_checks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("gpu_model", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("begins_ns", BIG, nullable=False),
        sa.Column("ends_ns", BIG, nullable=False),
        sa.Column("parts", BIG, nullable=False),
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("block_hash", sa.Text(), nullable=False),
        sa.Column("moment_ns", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("gpus", BIG, nullable=False),
        sa.Column("opens_ns", BIG),
        sa.Column("over_ns", BIG),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_checks")),
    )
    op.create_index(op.f("ix_spot_checks_campaign_state"), "spot_checks", ["campaign", "state"])
    op.add_column("benchmark_challenges", sa.Column("spot_check", sa.Text()))
    op.add_column("benchmark_challenges", sa.Column("attempt", BIG))
    op.add_column("benchmark_challenges", sa.Column("part", BIG))
    op.add_column("benchmark_challenges", sa.Column("gpus", BIG))
    op.create_index(op.f("ix_benchmark_challenges_spot_check"), "benchmark_challenges", ["spot_check"])


def downgrade() -> None:
    op.drop_index(op.f("ix_benchmark_challenges_spot_check"), "benchmark_challenges")
    for name in ("gpus", "part", "attempt", "spot_check"):
        op.drop_column("benchmark_challenges", name)
    op.drop_table("spot_checks")
    op.drop_table("spot_seeds")
