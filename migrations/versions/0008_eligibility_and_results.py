"""Who may be paid, and how far each task's results are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "eligibility_entries",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("eligibility", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_ns", BIG),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eligibility_entries")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_eligibility_entries_participant_participants")
        ),
        sa.UniqueConstraint(
            "campaign", "participant", "number", name=op.f("uq_eligibility_entries_campaign_participant_number")
        ),
    )
    op.create_table(
        "result_states",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.Column("until_ns", BIG),
        sa.Column("excepted", JSON, nullable=False),
        sa.Column("lines_to", BIG, nullable=False),
        sa.Column("verdicts_to", BIG, nullable=False),
        sa.Column("eligibility_to", BIG, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "task", "state", name=op.f("pk_result_states")),
    )


def downgrade() -> None:
    op.drop_table("result_states")
    op.drop_table("eligibility_entries")
