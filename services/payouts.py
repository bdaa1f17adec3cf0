"""What is owed: the sums of the award lines that are not paid, by address, with the state of each."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow
from ledger.payouts import PayoutBatchLineRow, PayoutBatchRow, PayoutRecipientRow, PayoutRow
from ledger.results import SHARES, final_states
from services import campaigns
from services.award_lines import GRANT
from services.eligibility import END, eligibilities
from services.house import House
from tasks.moment import Moment
from tasks.payout.lifecycle import LIVE

PROVISIONAL, PAYABLE, WITHHELD, OVERPAID = "provisional", "payable", "withheld", "overpaid"
IN_PAYOUT = "in payout"
NOT_FINAL = "results are not final yet"
_REASONS = {
    PROVISIONAL: NOT_FINAL,
    PAYABLE: "results are final",
    OVERPAID: "corrected after it was paid: set against later awards",
}


@dataclass(frozen=True, slots=True)
class Owed:
    """What one participant has earned and not been paid in one state, in micro of the campaign's unit.

    `overpaid` is negative: what was paid and corrected afterwards, to be set against later awards. `in payout`: a
    payout holds it, `reason` says which and how far that is; what was paid is not owed any more.
    """

    address: str
    amount_micro: int
    unit: str
    state: str
    reason: str

    def document(self) -> dict[str, object]:
        """The row as JSON, keys like the CSV's columns."""
        return {
            "address": self.address,
            "amount_micro": self.amount_micro,
            "unit": self.unit,
            "state": self.state,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Due:
    """One line of the ledger that is not paid, with its state; `reason` of a withheld one is the organizers' own."""

    line: int
    participant: str
    task: str | None
    amount_micro: int
    state: str
    reason: str


def owed(house: House) -> list[Owed]:
    """A row for each participant and state with a sum other than 0, by address. Raises NotFound without a campaign.

    A correction that finds nothing left to lower in its own state is set against what is payable; what still
    remains is `overpaid`.
    """
    loaded = campaigns.required(house)
    unit = loaded.newest.reward.unit
    with house.ledger.read() as session:
        rows = [*sums(due_lines(session, loaded.slug), unit), *_in_payouts(session, loaded.slug, unit)]
    return sorted(rows, key=lambda row: row.address)


def due_lines(session: Session, campaign: str) -> list[Due]:
    """Every line of the ledger that no payout holds, in order, with its state."""
    held = select(PayoutBatchLineRow.line).where(
        PayoutBatchLineRow.line == AwardLineRow.id, PayoutBatchLineRow.freed_ns.is_(None)
    )
    return _lines(session, campaign, ~held.exists())


def held_lines(session: Session, campaign: str, payout: int) -> list[Due]:
    """The lines that a payout holds in its batches that were not exported yet, with the state each would have now."""
    held = (
        select(PayoutBatchLineRow.line)
        .join(PayoutBatchRow, PayoutBatchRow.id == PayoutBatchLineRow.batch)
        .where(
            PayoutBatchRow.payout == payout,
            PayoutBatchRow.exported_ns.is_(None),
            PayoutBatchLineRow.freed_ns.is_(None),
        )
    )
    return _lines(session, campaign, AwardLineRow.id.in_(held))


def _lines(session: Session, campaign: str, condition: ColumnElement[bool]) -> list[Due]:
    final, decided = final_states(session, campaign), eligibilities(session, campaign)
    line = AwardLineRow
    statement = (
        select(line.id, line.participant, line.task, line.amount_micro, line.kind, ClaimRow.at_ns)
        .outerjoin(ClaimRow, ClaimRow.id == line.claim)
        .where(line.campaign == campaign, line.amount_micro != 0, condition)
        .order_by(line.id)
    )
    found = []
    for number, participant, task, amount, kind, at in session.execute(statement):
        standing = decided.in_words(participant, END if at is None or kind == GRANT else Moment(at))
        if not standing.payable:
            state, reason = WITHHELD, standing.reason
        else:
            is_final = kind == GRANT or (task or SHARES) in final
            state = PAYABLE if is_final else PROVISIONAL
            reason = _REASONS[state]
        found.append(Due(number, participant, task, amount, state, reason))
    return found


def _in_payouts(session: Session, campaign: str, unit: str) -> list[Owed]:
    """What payouts hold and have not paid yet."""
    batch, row = PayoutBatchRow, PayoutRecipientRow
    live = (
        select(row.participant, func.sum(row.amount_micro), PayoutRow.number, batch.state)
        .join(PayoutRow, PayoutRow.id == row.payout)
        .join(batch, batch.payout == row.payout)
        .where(
            PayoutRow.campaign == campaign,
            batch.state.in_([str(state) for state in LIVE]),
            row.place >= batch.first_place,
            row.place < batch.first_place + batch.size,
        )
        .group_by(row.participant, PayoutRow.number, batch.state)
        .order_by(row.participant, PayoutRow.number, batch.state)
    )
    return [
        Owed(participant, int(amount), unit, IN_PAYOUT, f"payout {number}: {state}")
        for participant, amount, number, state in session.execute(live)
    ]


def sums(lines: Iterable[Due], unit: str) -> list[Owed]:
    """The rows of `owed` from its lines."""
    by_state: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        by_state[line.participant][line.state, line.reason] += line.amount_micro
    rows = []
    for address, states in sorted(by_state.items()):
        payable = (PAYABLE, _REASONS[PAYABLE])
        for key, amount in list(states.items()):
            if amount < 0 and key != payable:
                states[key] = 0
                states[payable] += amount
        if states.get(payable, 0) < 0:
            states[OVERPAID, _REASONS[OVERPAID]] = states.pop(payable)
        rows += [Owed(address, amount, unit, *key) for key, amount in sorted(states.items()) if amount]
    return rows


def owed_csv(rows: Sequence[Owed]) -> str:
    """`address,amount_micro,unit,state,reason`; a written reason can't begin a formula in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("address", "amount_micro", "unit", "state", "reason"))
    writer.writerows((row.address, row.amount_micro, row.unit, row.state, _harmless(row.reason)) for row in rows)
    return text.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
