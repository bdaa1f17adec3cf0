"""The follower's index of the chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def _bids() -> None:
    op.create_table(
        "bids",
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("dseq", BIG, autoincrement=False, nullable=False),
        sa.Column("gseq", BIG, autoincrement=False, nullable=False),
        sa.Column("oseq", BIG, autoincrement=False, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("bseq", BIG, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("denom", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("read_height", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "chain_id", "owner", "dseq", "gseq", "oseq", "provider", "bseq", name=op.f("pk_bids")
        ),
    )
    op.create_index(op.f("ix_bids_chain_id_provider"), "bids", ["chain_id", "provider"])


def _chain_blocks() -> None:
    op.create_table(
        "chain_blocks",
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("height", BIG, autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text()),
        sa.Column("time_ns", BIG, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "height", name=op.f("pk_chain_blocks")),
    )
    op.create_index(op.f("ix_chain_blocks_chain_id_time_ns"), "chain_blocks", ["chain_id", "time_ns"])


def _chain_cursors() -> None:
    op.create_table(
        "chain_cursors",
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("hash", sa.Text()),
        sa.Column("time_ns", BIG),
        sa.Column("listing", sa.Text()),
        sa.Column("listing_height", BIG),
        sa.Column("lowest_height", BIG),
        sa.Column("page_key", sa.Text()),
        sa.Column("listing_round", BIG, nullable=False),
        sa.Column("listing_digest", sa.Text()),
        sa.Column("creations_due_height", BIG),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("checked_ns", BIG, nullable=False),
        sa.Column("tip_height", BIG),
        sa.Column("tip_time_ns", BIG),
        sa.Column("earliest_height", BIG),
        sa.PrimaryKeyConstraint("chain_id", name=op.f("pk_chain_cursors")),
    )


def _deployment_groups() -> None:
    op.create_table(
        "deployment_groups",
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("dseq", BIG, autoincrement=False, nullable=False),
        sa.Column("gseq", BIG, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("gpu_units", BIG, nullable=False),
        sa.Column("gpu_models", JSON, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("read_height", BIG, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "owner", "dseq", "gseq", name=op.f("pk_deployment_groups")),
    )


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("dseq", BIG, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("closed_at", BIG),
        sa.Column("gpu_units", BIG, nullable=False),
        sa.Column("gpu_models", JSON, nullable=False),
        sa.Column("read_height", BIG, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "owner", "dseq", name=op.f("pk_deployments")),
    )
    op.create_index(op.f("ix_deployments_chain_id_created_at"), "deployments", ["chain_id", "created_at"])


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("dseq", BIG, autoincrement=False, nullable=False),
        sa.Column("gseq", BIG, autoincrement=False, nullable=False),
        sa.Column("oseq", BIG, autoincrement=False, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("bseq", BIG, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("denom", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("closed_on", BIG),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("gpu_units", BIG, nullable=False),
        sa.Column("read_height", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "chain_id", "owner", "dseq", "gseq", "oseq", "provider", "bseq", name=op.f("pk_leases")
        ),
    )
    op.create_index(op.f("ix_leases_chain_id_created_at"), "leases", ["chain_id", "created_at"])
    op.create_index(op.f("ix_leases_chain_id_provider"), "leases", ["chain_id", "provider"])
    op.create_index(op.f("ix_leases_chain_id_state"), "leases", ["chain_id", "state"])


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("dseq", BIG, autoincrement=False, nullable=False),
        sa.Column("gseq", BIG, autoincrement=False, nullable=False),
        sa.Column("oseq", BIG, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("read_height", BIG, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "owner", "dseq", "gseq", "oseq", name=op.f("pk_orders")),
    )


def _providers() -> None:
    op.create_table(
        "providers",
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("host_uri", sa.Text(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("created_at", BIG),
        sa.Column("not_later_than", BIG, nullable=False),
        sa.Column("read_height", BIG, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "owner", name=op.f("pk_providers")),
    )


def upgrade() -> None:
    _bids()
    _chain_blocks()
    _chain_cursors()
    _deployment_groups()
    _deployments()
    _leases()
    _orders()
    _providers()


def downgrade() -> None:
    for table in (
        "providers",
        "orders",
        "leases",
        "deployments",
        "deployment_groups",
        "chain_cursors",
        "chain_blocks",
        "bids",
    ):
        op.drop_table(table)
