"""What was found on the payout chain for a batch: each transaction that has to do with it, with its evidence."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base, Json


class PayoutSightingRow(Base):
    """A transaction in a block that means something for a batch; written once, never changed.

    `state` is what it alone means (verifiers.payout.reconcile State). `seen`: the transaction as it was read
    (services.payout_seen), so that it is known after every node forgot it. `observations`: ids of the raw answers.
    """

    __tablename__ = "payout_sightings"

    batch: Mapped[int] = mapped_column(ForeignKey("payout_batches.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(primary_key=True)
    chain_id: Mapped[str]
    height: Mapped[int]
    code: Mapped[int]
    state: Mapped[str]
    seen: Mapped[dict[str, object]] = mapped_column(Json)
    observations: Mapped[list[str]] = mapped_column(Json)
    found_ns: Mapped[int]
