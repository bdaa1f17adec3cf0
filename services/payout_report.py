"""What anybody may read of a payout: rate, totals, amounts by address, transactions, what was not payable."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass

from services import campaigns
from services.errors import NotFound
from services.house import House
from services.payout_records import RowView, all_rows, every_payout, payout_in
from services.payout_views import BatchView, PayoutView
from tasks.moment import format_moment
from tasks.payout.lifecycle import BatchState
from tasks.payout.lines import NotPaid

_REASONS = {NotPaid.WITHHELD: "not payable"}
"""Public words; others are public as they are. Who is withheld for what is between the organizers and that person."""

HIDDEN = frozenset({BatchState.PLANNED, BatchState.APPROVED, BatchState.DISCARDED})
"""Nothing of a batch in these states was handed out: a payout of nothing else is not public yet."""

PAID = frozenset({BatchState.PAID, BatchState.PARTLY_PAID})
"""Only a transaction that paid is shown; one that failed or is in question is for staff."""


@dataclass(frozen=True, slots=True)
class Report:
    """A payout for everybody; `rows` are those of batches that were handed out."""

    payout: PayoutView
    batches: tuple[BatchView, ...]
    rows: tuple[RowView, ...]

    @property
    def unpaid(self) -> dict[str, tuple[int, int]]:
        """(participants, micro) for each reason of not being paid."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for each in self.payout.unpaid:
            reason = _REASONS.get(each.reason, str(each.reason))
            sums[reason][0] += 1
            sums[reason][1] += each.amount_micro
        return {reason: (count, micro) for reason, (count, micro) in sorted(sums.items())}

    @property
    def states(self) -> dict[str, BatchView]:
        """The batches by name."""
        return {batch.name: batch for batch in self.batches}

    def document(self) -> dict[str, object]:
        """The report as JSON: uakt and heights as decimal strings, micro as integers."""
        terms = self.payout.terms
        return {
            "payout": self.payout.number,
            "campaign": self.payout.campaign,
            "task": terms.task,
            "unit": terms.unit,
            "rate": terms.rate.text,
            "rate_source": terms.rate_source,
            "rate_at": format_moment(terms.rate_at),
            "payout_chain_id": self.payout.paying.chain_id,
            "payer": self.payout.paying.payer,
            "state": str(self.payout.state),
            "amount_micro": self.payout.total_micro,
            "total_uakt": str(self.payout.total_uakt),
            "batches": [_batch(batch) for batch in self.batches],
            "rows": [
                {
                    "address": row.recipient,
                    "amount_micro": row.amount_micro,
                    "amount_uakt": str(row.amount_uakt),
                    "batch": row.batch,
                }
                for row in self.rows
            ],
            "not_paid": [
                {"reason": reason, "participants": count, "amount_micro": micro}
                for reason, (count, micro) in self.unpaid.items()
            ],
        }


def report(house: House, number: int) -> Report:
    """One payout for everybody. Raises NotFound, also while nothing of it was handed out."""
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        view = payout_in(session, slug, number)
        shown = tuple(batch for batch in view.current if batch.state not in HIDDEN)
        if not shown:
            raise NotFound(f"Payout {number} is not public yet.")
        names = {batch.name for batch in shown}
        return Report(view, shown, tuple(row for row in all_rows(session, view) if row.batch in names))


def public_payouts(house: House) -> list[PayoutView]:
    """Every payout that is public, the newest first. Raises NotFound without a campaign."""
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        views = every_payout(session, slug)
    return [view for view in reversed(views) if any(batch.state not in HIDDEN for batch in view.current)]


def report_csv(made: Report) -> str:
    """`address,amount_micro,unit,amount_uakt,batch,state,tx_hash,tx_height`, one row for each address paid."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("address", "amount_micro", "unit", "amount_uakt", "batch", "state", "tx_hash", "tx_height"))
    unit = made.payout.terms.unit
    for row in made.rows:
        batch = made.states[row.batch]
        found = batch.found if batch.state in PAID else None
        seen = (found.tx_hash or "", found.tx_height or "") if found else ("", "")
        writer.writerow((row.recipient, row.amount_micro, unit, row.amount_uakt, row.batch, str(batch.state), *seen))
    return text.getvalue()


def _batch(batch: BatchView) -> dict[str, object]:
    found = batch.found.document() if batch.found and batch.state in PAID else {}
    return {
        "batch": batch.name,
        "state": str(batch.state),
        "payees": batch.size,
        "total_uakt": str(batch.total_uakt),
        "memo": batch.memo,
        "tx_hash": found.get("tx_hash"),
        "tx_height": found.get("tx_height"),
        "tx_time": found.get("tx_time"),
    }
