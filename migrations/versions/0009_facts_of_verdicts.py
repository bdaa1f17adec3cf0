"""What a verdict was judged by, so that it can be worked again: the revision and the participant's addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("verdicts", sa.Column("revision", BIG, nullable=True))
    op.add_column("verdicts", sa.Column("addresses", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("verdicts", "addresses")
    op.drop_column("verdicts", "revision")
