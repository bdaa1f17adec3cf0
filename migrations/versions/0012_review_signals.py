"""Review signals between participants, and what organizers decided about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0014"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    _edges()
    _looks()
    _decisions()
    _appeals()


def _edges() -> None:
    op.create_table(
        "signal_edges",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("one", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("traces", JSON, nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("first_seen_ns", BIG, nullable=False),
        sa.Column("changed_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_edges")),
        sa.UniqueConstraint(
            "campaign", "signal", "one", "other", "key", name=op.f("uq_signal_edges_campaign_signal_one_other_key")
        ),
        sa.ForeignKeyConstraint(["one"], ["participants.address"], name=op.f("fk_signal_edges_one_participants")),
        sa.ForeignKeyConstraint(["other"], ["participants.address"], name=op.f("fk_signal_edges_other_participants")),
    )
    op.create_index(op.f("ix_signal_edges_one"), "signal_edges", ["one"])
    op.create_index(op.f("ix_signal_edges_other"), "signal_edges", ["other"])


def _looks() -> None:
    op.create_table(
        "signal_looks",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("found", JSON, nullable=False),
        sa.Column("observation", sa.Text()),
        sa.Column("trouble", sa.Text()),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("looked_ns", BIG, nullable=False),
        sa.Column("due_ns", BIG),
        sa.PrimaryKeyConstraint("campaign", "question", "subject", name=op.f("pk_signal_looks")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_signal_looks_observation_observations")
        ),
    )
    op.create_index(op.f("ix_signal_looks_campaign_due_ns"), "signal_looks", ["campaign", "due_ns"])


def _decisions() -> None:
    op.create_table(
        "signal_decisions",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_decisions")),
    )
    op.create_index(op.f("ix_signal_decisions_campaign_at_ns"), "signal_decisions", ["campaign", "at_ns"])
    op.create_table(
        "signal_decision_edges",
        sa.Column("decision", BIG, autoincrement=False, nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision", "edge", name=op.f("pk_signal_decision_edges")),
        sa.ForeignKeyConstraint(
            ["decision"], ["signal_decisions.id"], name=op.f("fk_signal_decision_edges_decision_signal_decisions")
        ),
        sa.ForeignKeyConstraint(
            ["edge"], ["signal_edges.id"], name=op.f("fk_signal_decision_edges_edge_signal_edges")
        ),
    )
    op.create_index(op.f("ix_signal_decision_edges_edge"), "signal_decision_edges", ["edge"])


def _appeals() -> None:
    op.create_table(
        "signal_appeals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("decision", BIG, nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_appeals")),
        sa.UniqueConstraint("decision", "participant", name=op.f("uq_signal_appeals_decision_participant")),
        sa.ForeignKeyConstraint(
            ["decision"], ["signal_decisions.id"], name=op.f("fk_signal_appeals_decision_signal_decisions")
        ),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_signal_appeals_participant_participants")
        ),
    )
    op.create_index(op.f("ix_signal_appeals_campaign_made_ns"), "signal_appeals", ["campaign", "made_ns"])
    op.create_index(op.f("ix_signal_appeals_participant"), "signal_appeals", ["participant"])
    op.create_table(
        "signal_appeal_rulings",
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("appeal", name=op.f("pk_signal_appeal_rulings")),
        sa.ForeignKeyConstraint(
            ["appeal"], ["signal_appeals.id"], name=op.f("fk_signal_appeal_rulings_appeal_signal_appeals")
        ),
    )


def downgrade() -> None:
    for table in (
        *("signal_appeal_rulings", "signal_appeals", "signal_decision_edges", "signal_decisions"),
        *("signal_looks", "signal_edges"),
    ):
        op.drop_table(table)
