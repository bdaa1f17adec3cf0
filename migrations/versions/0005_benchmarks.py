"""Benchmark challenges and runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    _challenges()
    _runs()


def _challenges() -> None:
    op.create_table(
        "benchmark_challenges",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("gpu_model", sa.Text()),
        sa.Column("issued_ns", BIG, nullable=False),
        sa.Column("expires_ns", BIG, nullable=False),
        sa.Column("sdl_hashes", JSON, nullable=False),
        sa.Column("size", BIG),
        sa.Column("seed", sa.Text()),
        sa.Column("started_ns", BIG),
        sa.Column("root", sa.Text()),
        sa.Column("committed_ns", BIG),
        sa.Column("draw", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benchmark_challenges")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_benchmark_challenges_participant_participants")
        ),
    )
    op.create_index(
        op.f("ix_benchmark_challenges_campaign_participant"), "benchmark_challenges", ["campaign", "participant"]
    )


def _runs() -> None:
    op.create_table(
        "benchmark_runs",
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text()),
        sa.Column("observation", sa.Text()),
        sa.Column("delivered_by", sa.Text(), nullable=False),
        sa.Column("received_ns", BIG, nullable=False),
        sa.Column("gpu_model", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("output_digest", sa.Text(), nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.PrimaryKeyConstraint("challenge", name=op.f("pk_benchmark_runs")),
        sa.ForeignKeyConstraint(
            ["challenge"], ["benchmark_challenges.id"], name=op.f("fk_benchmark_runs_challenge_benchmark_challenges")
        ),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.address"], name=op.f("fk_benchmark_runs_participant_participants")
        ),
        sa.ForeignKeyConstraint(["claim"], ["claims.id"], name=op.f("fk_benchmark_runs_claim_claims")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_benchmark_runs_observation_observations")
        ),
    )
    op.create_index(op.f("ix_benchmark_runs_campaign_variant"), "benchmark_runs", ["campaign", "variant"])
    op.create_index(op.f("ix_benchmark_runs_campaign_output_digest"), "benchmark_runs", ["campaign", "output_digest"])
    op.create_index(op.f("ix_benchmark_runs_claim"), "benchmark_runs", ["claim"])


def downgrade() -> None:
    op.drop_table("benchmark_runs")
    op.drop_table("benchmark_challenges")
