"""Which cards answered for which spot checks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "spot_cards",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("spot_check", sa.Text(), nullable=False),
        sa.Column("received_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "card", "spot_check", name=op.f("pk_spot_cards")),
    )
    op.create_index(op.f("ix_spot_cards_spot_check"), "spot_cards", ["spot_check"])


def downgrade() -> None:
    op.drop_table("spot_cards")
