"""A payout as files for people and machines; nothing in them can begin a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from tasks.payout.batches import HEADER, Batch
from tasks.payout.plan import Plan
from tasks.rewards.money import format_micro

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def machine_csv(batches: Iterable[Batch]) -> bytes:
    """`recipient,amount_uakt,denom,batch,award_ids` of all batches; that of one batch is its canonical rows."""
    return b"".join([f"{HEADER}\n".encode(), *(made.canonical.partition(b"\n")[2] for made in batches)])


def human_csv(plan: Plan, batches: Iterable[Batch], names: Mapping[str, str] | None = None) -> str:
    """Rows with names and amounts in units and AKT, then what is not paid with its reason (RFC 4180, CRLF).

    `names`: display names by participant. A field that a spreadsheet would take for a formula gets a leading `'`.
    """
    known = names or {}
    text = io.StringIO()
    writer = csv.writer(text)
    unit = plan.terms.unit
    writer.writerow(
        ("participant", "name", "recipient", f"amount ({unit})", "amount (AKT)", "batch", "not paid because")
    )
    for made in batches:
        for row in made.rows:
            amounts = format_micro(row.amount_micro), format_micro(row.amount_uakt)
            name = known.get(row.participant, "")
            writer.writerow(map(harmless, (row.participant, name, row.recipient, *amounts, made.name, "")))
    for each in plan.unpaid:
        reason = f"{each.reason}: {each.detail}" if each.detail else str(each.reason)
        name = known.get(each.participant, "")
        amount = format_micro(each.amount_micro)
        writer.writerow(map(harmless, (each.participant, name, "", amount, "0", "", reason)))
    return text.getvalue()


def harmless(text: str) -> str:
    """Text as a field that no spreadsheet runs: `'` before what would begin a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
