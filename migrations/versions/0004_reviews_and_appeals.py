"""What people decided about claims, and appeals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def _review_steps() -> None:
    op.create_table(
        "review_steps",
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided", JSON, nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("claim", "number", name=op.f("pk_review_steps")),
        sa.ForeignKeyConstraint(["claim"], ["claims.id"], name=op.f("fk_review_steps_claim_claims")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_review_steps_observation_observations")
        ),
    )
    op.create_index(op.f("ix_review_steps_actor"), "review_steps", ["actor"])


def _reviewers() -> None:
    op.create_table(
        "reviewers",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "person", name=op.f("pk_reviewers")),
        sa.UniqueConstraint("campaign", "name", name=op.f("uq_reviewers_campaign_name")),
    )
    op.create_table(
        "review_takes",
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("taken_ns", BIG, nullable=False),
        sa.Column("until_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("claim", name=op.f("pk_review_takes")),
        sa.ForeignKeyConstraint(["claim"], ["claims.id"], name=op.f("fk_review_takes_claim_claims")),
    )


def _appeals() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("verdict_id", BIG),
        sa.Column("line", BIG),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("claim", "about", name=op.f("uq_appeals_claim_about")),
        sa.ForeignKeyConstraint(["claim"], ["claims.id"], name=op.f("fk_appeals_claim_claims")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_appeals_participant_participants")
        ),
        sa.ForeignKeyConstraint(["verdict_id"], ["verdicts.id"], name=op.f("fk_appeals_verdict_id_verdicts")),
        sa.ForeignKeyConstraint(["line"], ["award_lines.id"], name=op.f("fk_appeals_line_award_lines")),
    )
    op.create_index(op.f("ix_appeals_campaign_made_ns"), "appeals", ["campaign", "made_ns"])
    op.create_index(op.f("ix_appeals_participant"), "appeals", ["participant"])
    op.create_table(
        "appeal_rulings",
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("appeal", name=op.f("pk_appeal_rulings")),
        sa.ForeignKeyConstraint(["appeal"], ["appeals.id"], name=op.f("fk_appeal_rulings_appeal_appeals")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_appeal_rulings_observation_observations")
        ),
    )


def upgrade() -> None:
    _review_steps()
    _reviewers()
    _appeals()


def downgrade() -> None:
    for table in ("appeal_rulings", "appeals", "review_takes", "reviewers", "review_steps"):
        op.drop_table(table)
