"""Grants that wait for a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "grant_proposals",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text()),
        sa.Column("takes_back", sa.Text()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_proposals")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_grant_proposals_participant_participants")
        ),
        sa.ForeignKeyConstraint(["claim"], ["claims.id"], name=op.f("fk_grant_proposals_claim_claims")),
    )
    op.create_index(op.f("ix_grant_proposals_campaign"), "grant_proposals", ["campaign"])
    op.create_table(
        "grant_rulings",
        sa.Column("proposal", BIG, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_grant_rulings")),
        sa.ForeignKeyConstraint(
            ["proposal"], ["grant_proposals.id"], name=op.f("fk_grant_rulings_proposal_grant_proposals")
        ),
    )


def downgrade() -> None:
    op.drop_table("grant_rulings")
    op.drop_index(op.f("ix_grant_proposals_campaign"), table_name="grant_proposals")
    op.drop_table("grant_proposals")
