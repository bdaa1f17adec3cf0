"""What is owed: the sums of the award lines, by address, with the state of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from ledger.awards import AwardLineRow
from services import campaigns
from services.house import House

PROVISIONAL = "provisional"
NOT_FINAL = "results are not final yet"


@dataclass(frozen=True, slots=True)
class Owed:
    """What one participant has earned and not been paid, in micro of the campaign's unit."""

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


def owed(house: House) -> list[Owed]:
    """Everybody with a sum other than 0, by address. Raises NotFound without a campaign.

    Nothing is payable before an organizer has made results final, so every row says `provisional` until then.
    """
    loaded = campaigns.required(house)
    total = func.sum(AwardLineRow.amount_micro)
    statement = (
        select(AwardLineRow.participant, total)
        .where(AwardLineRow.campaign == loaded.slug)
        .group_by(AwardLineRow.participant)
        .having(total != 0)
        .order_by(AwardLineRow.participant)
    )
    unit = loaded.newest.reward.unit
    with house.ledger.read() as session:
        return [
            Owed(participant, int(micro), unit, PROVISIONAL, NOT_FINAL)
            for participant, micro in session.execute(statement)
        ]


def owed_csv(rows: Sequence[Owed]) -> str:
    """`address,amount_micro,unit,state,reason`; no field can begin a formula, since none holds entered text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("address", "amount_micro", "unit", "state", "reason"))
    writer.writerows((row.address, row.amount_micro, row.unit, row.state, row.reason) for row in rows)
    return text.getvalue()
