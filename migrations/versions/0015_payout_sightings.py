"""What was found on the payout chain for a batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "payout_sightings",
        sa.Column("batch", BIG, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("code", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("observations", sa.JSON(), nullable=False),
        sa.Column("found_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("batch", "hash", name=op.f("pk_payout_sightings")),
        sa.ForeignKeyConstraint(
            ["batch"], ["payout_batches.id"], name=op.f("fk_payout_sightings_batch_payout_batches")
        ),
    )


def downgrade() -> None:
    op.drop_table("payout_sightings")
