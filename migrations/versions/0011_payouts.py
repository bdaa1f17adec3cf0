"""Payouts: plans, rows, batches, the lines they hold, approvals, signed files; challenges name what they are for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)
HELD = sa.text("freed_ns IS NULL")


def upgrade() -> None:
    op.add_column("challenges", sa.Column("subject", sa.Text()))
    op.create_table(
        "payouts",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("task", sa.Text()),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("rate_source", sa.Text(), nullable=False),
        sa.Column("rate_at_ns", BIG, nullable=False),
        sa.Column("minimum_micro", BIG, nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("has_ledger", sa.Boolean(), nullable=False),
        sa.Column("as_sends", sa.Boolean(), nullable=False),
        sa.Column("third_above_uakt", BIG),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("total_micro", BIG, nullable=False),
        sa.Column("total_uakt", BIG, nullable=False),
        sa.Column("unpaid", JSON, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("drafted_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("campaign", "number", name=op.f("uq_payouts_campaign_number")),
    )
    op.create_table(
        "payout_rows",
        sa.Column("payout", BIG, nullable=False),
        sa.Column("place", BIG, nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("amount_uakt", BIG, nullable=False),
        sa.PrimaryKeyConstraint("payout", "place", name=op.f("pk_payout_rows")),
        sa.ForeignKeyConstraint(["payout"], ["payouts.id"], name=op.f("fk_payout_rows_payout_payouts")),
    )
    op.create_index(op.f("ix_payout_rows_participant"), "payout_rows", ["participant"])
    _batches()
    _people_and_files()


def _batches() -> None:
    op.create_table(
        "payout_batches",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("payout", BIG, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("first_place", BIG, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("total_micro", BIG, nullable=False),
        sa.Column("total_uakt", BIG, nullable=False),
        sa.Column("rows_hash", sa.Text(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_ns", BIG, nullable=False),
        sa.Column("exported_ns", BIG),
        sa.Column("exported_height", BIG),
        sa.Column("timeout_height", BIG),
        sa.Column("fee_uakt", BIG),
        sa.Column("gas_limit", BIG),
        sa.Column("account_number", BIG),
        sa.Column("sequence", BIG),
        sa.Column("file", sa.LargeBinary()),
        sa.Column("sha256", sa.Text()),
        sa.Column("found", sa.Text()),
        sa.Column("found_detail", sa.Text()),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("looked_ns", BIG),
        sa.Column("searched_to", BIG),
        sa.Column("tx_hash", sa.Text()),
        sa.Column("tx_height", BIG),
        sa.Column("tx_time_ns", BIG),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batches")),
        sa.ForeignKeyConstraint(["payout"], ["payouts.id"], name=op.f("fk_payout_batches_payout_payouts")),
        sa.UniqueConstraint("campaign", "name", name=op.f("uq_payout_batches_campaign_name")),
        sa.UniqueConstraint("memo", name=op.f("uq_payout_batches_memo")),
    )
    op.create_index(op.f("ix_payout_batches_payout"), "payout_batches", ["payout"])
    op.create_index(op.f("ix_payout_batches_state"), "payout_batches", ["state"])
    op.create_table(
        "payout_batch_lines",
        sa.Column("batch", BIG, nullable=False),
        sa.Column("line", BIG, nullable=False),
        sa.Column("place", BIG, nullable=False),
        sa.Column("freed_ns", BIG),
        sa.PrimaryKeyConstraint("batch", "line", name=op.f("pk_payout_batch_lines")),
        sa.ForeignKeyConstraint(
            ["batch"], ["payout_batches.id"], name=op.f("fk_payout_batch_lines_batch_payout_batches")
        ),
        sa.ForeignKeyConstraint(["line"], ["award_lines.id"], name=op.f("fk_payout_batch_lines_line_award_lines")),
    )
    op.create_index(
        "uq_payout_batch_lines_line_held",
        "payout_batch_lines",
        ["line"],
        unique=True,
        sqlite_where=HELD,
        postgresql_where=HELD,
    )


def _people_and_files() -> None:
    op.create_table(
        "payout_approvals",
        sa.Column("payout", BIG, nullable=False),
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("payout", "attempt", "address", name=op.f("pk_payout_approvals")),
        sa.ForeignKeyConstraint(["payout"], ["payouts.id"], name=op.f("fk_payout_approvals_payout_payouts")),
        sa.UniqueConstraint("payout", "attempt", "person", name=op.f("uq_payout_approvals_payout_attempt_person")),
    )
    op.create_table(
        "payout_signed",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("batch", BIG, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("checked_ns", BIG, nullable=False),
        sa.Column("broadcast_ns", BIG),
        sa.Column("answer", JSON),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_payout_signed")),
        sa.ForeignKeyConstraint(["batch"], ["payout_batches.id"], name=op.f("fk_payout_signed_batch_payout_batches")),
    )
    op.create_index(op.f("ix_payout_signed_batch"), "payout_signed", ["batch"])


def downgrade() -> None:
    op.drop_table("payout_signed")
    op.drop_table("payout_approvals")
    op.drop_table("payout_batch_lines")
    op.drop_table("payout_batches")
    op.drop_table("payout_rows")
    op.drop_table("payouts")
    op.drop_column("challenges", "subject")
