"""Where each award is on its way to its participant: in which payout, and by which transaction it was paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from ledger.awards import AwardLineRow
from ledger.payouts import PayoutBatchLineRow, PayoutBatchRow, PayoutRecipientRow, PayoutRow
from tasks.payout.lifecycle import BatchState

PAID = frozenset({BatchState.PAID, BatchState.PARTLY_PAID})
"""States in which the rows that a batch still holds were paid by its transaction."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One row of a payout for one participant. The transaction's fields are None until a block holds it.

    `amount_micro` and `amount_uakt` are the whole row's: the awards that are paid together. `is_public`: the payout
    has a page for everybody.
    """

    payout: int
    place: int
    batch: str
    state: BatchState
    recipient: str
    amount_micro: int
    amount_uakt: int
    chain_id: str
    tx_hash: str | None
    tx_height: int | None
    tx_time_ns: int | None

    @property
    def is_paid(self) -> bool:
        """Whether a block holds the payment."""
        return self.state in PAID

    @property
    def is_public(self) -> bool:
        """Whether the payout has a page for everybody: from its approval on."""
        return self.state is not BatchState.PLANNED


def payments_of(session: Session, campaign: str, participants: Sequence[str]) -> dict[int, Payment]:
    """The payment of each award line of the named people that a batch holds; other lines are owed."""
    statement = (
        select(PayoutBatchLineRow.line, PayoutBatchRow, PayoutRow, PayoutRecipientRow)
        .options(defer(PayoutBatchRow.file))  # tens of kilobytes that would come with every line
        .join(AwardLineRow, AwardLineRow.id == PayoutBatchLineRow.line)
        .join(PayoutBatchRow, PayoutBatchRow.id == PayoutBatchLineRow.batch)
        .join(PayoutRow, PayoutRow.id == PayoutBatchRow.payout)
        .join(
            PayoutRecipientRow,
            (PayoutRecipientRow.payout == PayoutRow.id) & (PayoutRecipientRow.place == PayoutBatchLineRow.place),
        )
        .where(
            AwardLineRow.campaign == campaign,
            AwardLineRow.participant.in_(participants),
            PayoutBatchLineRow.freed_ns.is_(None),
        )
        .order_by(PayoutRow.number, PayoutBatchLineRow.place, PayoutBatchLineRow.line)
    )
    return {line: _payment(batch, payout, row) for line, batch, payout, row in session.execute(statement)}


def _payment(batch: PayoutBatchRow, payout: PayoutRow, row: PayoutRecipientRow) -> Payment:
    state = BatchState(batch.state)
    is_paid = state in PAID
    return Payment(
        payout=payout.number,
        place=row.place,
        batch=batch.name,
        state=state,
        recipient=row.recipient,
        amount_micro=row.amount_micro,
        amount_uakt=row.amount_uakt,
        chain_id=payout.chain_id,
        tx_hash=batch.tx_hash if is_paid else None,
        tx_height=batch.tx_height if is_paid else None,
        tx_time_ns=batch.tx_time_ns if is_paid else None,
    )
