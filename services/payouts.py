"""What is owed: the sums of the award lines that are not paid, by address, with the state of each."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow
from ledger.results import SHARES, final_states
from services import campaigns
from services.award_lines import GRANT
from services.eligibility import END, eligibilities
from services.house import House
from tasks.moment import Moment

PROVISIONAL, PAYABLE, WITHHELD, OVERPAID = "provisional", "payable", "withheld", "overpaid"
NOT_FINAL = "results are not final yet"
_REASONS = {
    PROVISIONAL: NOT_FINAL,
    PAYABLE: "results are final",
    OVERPAID: "corrected after it was paid: set against later awards",
}


@dataclass(frozen=True, slots=True)
class Owed:
    """What one participant has earned and not been paid in one state, in micro of the campaign's unit.

    `overpaid` is negative: what was paid and corrected afterwards, to be set against later awards.
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
    with house.ledger.read() as session:
        lines = due_lines(session, loaded.slug)
    return sums(lines, loaded.newest.reward.unit)


def due_lines(session: Session, campaign: str) -> list[Due]:
    """Every line of the ledger that no payout holds, in order, with its state."""
    final, decided = final_states(session, campaign), eligibilities(session, campaign)
    statement = (
        select(AwardLineRow, ClaimRow.at_ns)
        .outerjoin(ClaimRow, ClaimRow.id == AwardLineRow.claim)
        .where(AwardLineRow.campaign == campaign, AwardLineRow.amount_micro != 0)
        .order_by(AwardLineRow.id)
    )
    found = []
    for line, at in session.execute(statement):
        standing = decided.in_words(line.participant, END if at is None or line.kind == GRANT else Moment(at))
        if not standing.payable:
            state, reason = WITHHELD, standing.reason
        else:
            is_final = line.kind == GRANT or (line.task or SHARES) in final
            state = PAYABLE if is_final else PROVISIONAL
            reason = _REASONS[state]
        found.append(Due(line.id, line.participant, line.task, line.amount_micro, state, reason))
    return found


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
