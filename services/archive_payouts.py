"""What of payouts an archive holds: those of which a batch was exported, without who signed or staff's words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.payouts import PayoutApprovalRow, PayoutBatchLineRow, PayoutBatchRow
from services.payout_records import every_payout, plan_of
from services.payout_views import BatchView, PayoutView
from tasks.payout.lifecycle import BatchState
from tasks.payout.sealing import Part

Line = dict[str, Any]

PAID = frozenset({BatchState.PAID, BatchState.PARTLY_PAID})


def payouts(session: Session, campaign: str) -> Iterator[Line]:
    """The plans."""
    for view in _exported(session, campaign):
        terms, paying = view.terms, view.paying
        yield {
            "number": view.number,
            "task": terms.task,
            "unit": terms.unit,
            "rate": terms.rate.text,
            "rate_source": terms.rate_source,
            "rate_at_ns": terms.rate_at,
            "minimum_micro": terms.minimum_micro,
            "payer": paying.payer,
            "chain_id": paying.chain_id,
            "has_ledger": paying.has_ledger,
            "as_sends": paying.as_sends,
            "third_above_uakt": paying.third_above_uakt,
            "nonce": paying.nonce,
            "attempt": paying.attempt,
            "digest": view.digest,
            "total_micro": view.total_micro,
            "total_uakt": view.total_uakt,
            "unpaid": [
                {
                    "participant": each.participant,
                    "amount_micro": each.amount_micro,
                    "reason": str(each.reason),
                    "lines": list(each.lines),
                }
                for each in view.unpaid
            ],
            "drafted_ns": view.drafted_at,
        }


def payout_rows(session: Session, campaign: str) -> Iterator[Line]:
    """The plans' rows with their award lines."""
    for view in _exported(session, campaign):
        for place, row in enumerate(plan_of(session, view).rows):
            yield {
                "payout": view.number,
                "place": place,
                "participant": row.participant,
                "recipient": row.recipient,
                "amount_micro": row.amount_micro,
                "amount_uakt": row.amount_uakt,
                "lines": list(row.lines),
            }


def payout_batches(session: Session, campaign: str) -> Iterator[Line]:
    """The batches of all attempts, with the transaction of those that were paid."""
    for view in _exported(session, campaign):
        released = _released(session, view)
        for batch in view.batches:
            yield _batch(batch) | {"released": sorted(released[batch.id])}


def payout_signatures(session: Session, campaign: str) -> Iterator[Line]:
    """Who signed, as numbers: two signatures of one person have the same."""
    for view in _exported(session, campaign):
        mine = select(PayoutApprovalRow).where(PayoutApprovalRow.payout == view.id)
        rows = session.scalars(mine.order_by(PayoutApprovalRow.attempt, PayoutApprovalRow.at_ns)).all()
        numbers: dict[str, int] = {}
        # Two of one moment: the planner signed first, else by their addresses, so that exports are the same bytes.
        for row in sorted(rows, key=lambda row: (row.attempt, row.at_ns, row.part != Part.PLANNER, row.person)):
            numbers.setdefault(row.person, len(numbers) + 1)
        for row in sorted(rows, key=lambda row: (row.attempt, numbers[row.person])):
            yield {
                "payout": view.number,
                "attempt": row.attempt,
                "person": numbers[row.person],
                "part": row.part,
                "proof": row.proof,
                "digest": row.digest,
                "at_ns": row.at_ns,
            }


def _exported(session: Session, campaign: str) -> list[PayoutView]:
    """A draft that nothing was handed out of is no fact for everybody yet."""
    views = every_payout(session, campaign)
    return [view for view in views if any(batch.exported is not None for batch in view.batches)]


def _released(session: Session, view: PayoutView) -> dict[int, set[int]]:
    freed = (
        select(PayoutBatchLineRow.batch, PayoutBatchLineRow.place)
        .join(PayoutBatchRow, PayoutBatchRow.id == PayoutBatchLineRow.batch)
        .where(PayoutBatchRow.payout == view.id, PayoutBatchLineRow.freed_ns.is_not(None))
    )
    places: dict[int, set[int]] = defaultdict(set)
    for batch, place in session.execute(freed):
        places[batch].add(place)
    return places


def _batch(batch: BatchView) -> Line:
    frozen, found = batch.exported, batch.found if batch.state in PAID else None
    return {
        "payout": batch.payout,
        "number": batch.number,
        "attempt": batch.attempt,
        "name": batch.name,
        "first_place": batch.first_place,
        "size": batch.size,
        "rows_hash": batch.rows_hash,
        "memo": batch.memo,
        "state": str(batch.state),
        "exported_height": frozen.height if frozen else None,
        "timeout_height": frozen.timeout_height if frozen else None,
        "fee_uakt": frozen.fee_uakt if frozen else None,
        "gas_limit": frozen.gas_limit if frozen else None,
        "sha256": frozen.sha256 if frozen else None,
        "tx_hash": found.tx_hash if found else None,
        "tx_height": found.tx_height if found else None,
        "tx_time_ns": found.tx_time if found else None,
    }
