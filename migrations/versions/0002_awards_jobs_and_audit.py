"""The reward ledger, our own jobs, the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def _award_lines() -> None:
    op.create_table(
        "award_lines",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("step", BIG, nullable=False),
        sa.Column("claim", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text()),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("task", sa.Text()),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("working", JSON, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("corrects", BIG),
        sa.Column("position", BIG, nullable=False),
        sa.Column("computed_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award_lines")),
        sa.UniqueConstraint("campaign", "key", "step", name=op.f("uq_award_lines_campaign_key_step")),
        sa.ForeignKeyConstraint(["corrects"], ["award_lines.id"], name=op.f("fk_award_lines_corrects_award_lines")),
    )
    op.create_index(op.f("ix_award_lines_campaign_claim"), "award_lines", ["campaign", "claim"])
    op.create_index(op.f("ix_award_lines_campaign_participant"), "award_lines", ["campaign", "participant"])


def _provisional_lines() -> None:
    op.create_table(
        "provisional_lines",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("working", JSON, nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "claim", name=op.f("pk_provisional_lines")),
    )
    op.create_index(
        op.f("ix_provisional_lines_campaign_participant"), "provisional_lines", ["campaign", "participant"]
    )


def _reward_runs() -> None:
    op.create_table(
        "reward_runs",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("computed_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("campaign", name=op.f("pk_reward_runs")),
    )


def _job_slots() -> None:
    op.create_table(
        "job_slots",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("slot_ns", BIG, autoincrement=False, nullable=False),
        sa.Column("started_ns", BIG, nullable=False),
        sa.Column("finished_ns", BIG),
        sa.Column("error", sa.Text()),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("duration_ns", BIG),
        sa.PrimaryKeyConstraint("job", "slot_ns", name=op.f("pk_job_slots")),
    )


def _job_states() -> None:
    op.create_table(
        "job_states",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("last_run_ns", BIG, nullable=False),
        sa.Column("last_ok_ns", BIG),
        sa.Column("last_error", sa.Text()),
        sa.Column("last_detail", sa.Text()),
        sa.Column("last_duration_ns", BIG),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_states")),
    )


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_log_hash")),
        sa.UniqueConstraint("previous_hash", name=op.f("uq_audit_log_previous_hash")),
    )
    op.create_index(op.f("ix_audit_log_subject"), "audit_log", ["subject"])


def upgrade() -> None:
    _award_lines()
    _provisional_lines()
    _reward_runs()
    _job_slots()
    _job_states()
    _audit_log()


def downgrade() -> None:
    for table in (
        "audit_log",
        "job_states",
        "job_slots",
        "reward_runs",
        "provisional_lines",
        "award_lines",
    ):
        op.drop_table(table)
