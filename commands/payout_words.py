"""Payouts in a terminal: what is planned, who signs next, what is wrong with a file, the books."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.moment import format_moment
from tasks.rewards.money import format_micro

SHOWN = 50


def print_preview(found: Any) -> None:
    """A plan that is not stored."""
    unit, plan = found.plan.terms.unit, found.plan
    print(f"Nothing is stored. {_sums(len(plan.rows), plan.total_micro, unit, plan.total_uakt)}")
    print(f"{len(found.batches)} batches, fees of about {format_micro(found.fee_uakt)} AKT")
    _print_unpaid(plan.unpaid, unit)
    _print_warnings(found.warnings)


def print_payout(view: Any, to_sign: Any, written: Path | None, more: Mapping[str, object]) -> None:
    """A payout and what is to be done next."""
    terms, paying = view.terms, view.paying
    scope = f"task {terms.task}" if terms.task else "the whole campaign"
    print(f"Payout {view.number} of {view.campaign} ({scope}): {view.state}")
    print(_sums(view.payees, view.total_micro, terms.unit, view.total_uakt))
    print(f"rate {terms.rate.text} {terms.unit} for 1 AKT ({terms.rate_source}, {format_moment(terms.rate_at)})")
    print(f"from {paying.payer} on {paying.chain_id}")
    print(f"digest {view.digest}")
    for batch in view.batches:
        _print_batch(batch)
    _print_unpaid(view.unpaid, terms.unit)
    for each in view.approvals:
        print(f"signed by its {each.part} {each.address} at {format_moment(each.at)}")
    _print_warnings(more.get("warnings", ()))
    if view.waits_for_signatures and to_sign is not None:
        _print_to_sign(view, to_sign, written)


def print_judged(judged: Any) -> None:
    """What was found about a signed file."""
    checked = judged.checked
    for each in checked.findings:
        code = f" (the node answers {each.codespace} {each.code})" if each.code else ""
        print(f"{each.phase}: {each.text}{code}")
    if judged.is_stored:
        words = "stored" if judged.is_new else "stored before"
        print(f"{judged.batch.name}: good. Its hash {checked.hash} is {words}; broadcast it now.")
    else:
        print(f"{judged.batch.name}: not good, nothing is stored. Do not broadcast it.")


def print_balance(found: Any) -> None:
    """The books in short, and everything that does not agree."""
    total = found.total
    for name in ("earned", "paid", "open", "withheld", "overpaid"):
        print(f"{name:>9} {format_micro(getattr(total, name)):>18} {found.unit}")
    for number, book in found.payouts.items():
        parts = ", ".join(f"{name} {getattr(book, name)}" for name in ("planned", "paid", "live", "dead"))
        print(f"payout {number}: {parts} uakt")
    for trouble in found.troubles:
        print(f"OUT OF BALANCE: {trouble}")
    print("The books balance." if found.is_balanced else "Pay nothing before this is understood.")


def _sums(payees: int, micro: int, unit: str, uakt: int) -> str:
    return f"{payees} payees, {format_micro(micro)} {unit} = {format_micro(uakt)} AKT ({uakt} uakt)"


def _print_batch(batch: Any) -> None:
    until = f", good up to height {batch.exported.timeout_height}" if batch.exported else ""
    print(f"  {batch.name}  {batch.state}: {batch.size} payees, {batch.total_uakt} uakt{until}")
    for file in batch.signed:
        print(f"    signed with sequence {file.sequence}: {file.hash}")
    if batch.found:
        at = f" at height {batch.found.tx_height} ({batch.found.tx_hash})" if batch.found.tx_hash else ""
        print(f"    {batch.found.state}{at}. {batch.found.next_step}")


def _print_unpaid(unpaid: Any, unit: str) -> None:
    if unpaid:
        print("Not paid, stays owed:")
    for each in unpaid[:SHOWN]:
        detail = f" ({each.detail})" if each.detail else ""
        print(f"  {each.participant}  {format_micro(each.amount_micro)} {unit}: {each.reason}{detail}")
    if len(unpaid) > SHOWN:
        print(f"  … and {len(unpaid) - SHOWN} more: --json has them all")


def _print_warnings(warnings: Any) -> None:
    for warning in warnings:
        print(f"Mind: {warning}")


def _print_to_sign(view: Any, to_sign: Any, written: Path | None) -> None:
    missing = "its planner's signature" if view.planner is None else f"approval by {view.needed} other(s)"
    print(f"It waits for {missing}. To sign as its {to_sign.part}:")
    if written is None:
        print(f"  python app.py payout show {view.number} --as ADDRESS --part {to_sign.part} --to-sign sign.json")
    print(
        f"  akash tx sign {written or 'sign.json'} --from KEY --offline --account-number 0 --sequence 0 "
        f"--chain-id {to_sign.sign_chain_id} > proof.json"
    )
    print(f"  python app.py payout approve {view.number} --proof proof.json")
