"""Days and changes of probes know the chain whose record of the provider was probed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("probe_days", "probe_changes"):
        op.add_column(table, sa.Column("chain_id", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("probe_changes", "probe_days"):
        op.drop_column(table, "chain_id")
