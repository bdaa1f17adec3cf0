"""SDLs that participants wrote for others, with their texts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "submitted_sdls",
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("received_ns", BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("pull_request", sa.Text(), nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("claim", "number", name=op.f("pk_submitted_sdls")),
        sa.ForeignKeyConstraint(["claim"], ["claims.id"], name=op.f("fk_submitted_sdls_claim_claims")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_submitted_sdls_observation_observations")
        ),
    )
    op.create_index(op.f("ix_submitted_sdls_campaign_received_ns"), "submitted_sdls", ["campaign", "received_ns"])


def downgrade() -> None:
    op.drop_table("submitted_sdls")
