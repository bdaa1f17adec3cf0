"""The coin in which a challenge's SDL offers its price; all that were issued before did so in uakt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("benchmark_challenges", sa.Column("price_denom", sa.Text(), nullable=False, server_default="uakt"))


def downgrade() -> None:
    op.drop_column("benchmark_challenges", "price_denom")
