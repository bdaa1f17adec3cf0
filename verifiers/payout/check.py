"""Is this signed file the approved batch, and would the chain take it? Asked before anybody broadcasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.payout.batches import DENOM
from verifiers.payout.export import Export
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import read_signed
from verifiers.payout.findings import (
    Finding,
    NodeJudgement,
    Phase,
    in_block,
    judged_by_node,
    not_approved,
    note,
    refused,
)
from verifiers.payout.gas import fee_uakt, gas_before_messages, least_gas
from verifiers.payout.keys import signature_findings
from verifiers.payout.rules import bank_findings
from verifiers.payout.signed import SignedFileError, SignedTransaction
from verifiers.payout.transfers import payers_of, transfers_of

MOST_FEES = 10
"""A fee above so many times the exported one is not what was approved."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result: what was found, in a node's order, and what to store before broadcasting."""

    signed: SignedTransaction | None
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        """Whether the file may be broadcast."""
        return all(finding.phase is Phase.NOTE for finding in self.findings)

    @property
    def hash(self) -> str | None:
        """The transaction's hash, None where the file could not be read."""
        return self.signed.hash if self.signed else None

    @property
    def by_node(self) -> NodeJudgement:
        """What a node would do with it."""
        return judged_by_node(self.findings)


def check_signed(approved: Export, file: str | bytes, facts: PayerFacts) -> Checked:
    """Judge a signed file (JSON, or base64 of it) against the approved export and the payer's account.

    Never raises for what a file holds. Findings come in the order of the SDK's checks, so that the first one of a
    phase has the codespace and code that a node answers (recorded: payout-broadcast).
    """
    try:
        signed = read_signed(file)
    except SignedFileError as error:
        return Checked(None, (refused("unreadable", 2, str(error)),))
    findings = (
        *_before_signatures(signed, facts),
        *signature_findings(signed, facts),
        *bank_findings(signed, facts),
        *_gas_of_messages(signed),
        *_against_approved(approved, signed, facts),
    )
    return Checked(signed, findings)


def _before_signatures(signed: SignedTransaction, facts: PayerFacts) -> Iterator[Finding]:
    if not signed.signatures:
        yield refused("not_signed", 15, "the file is not signed yet")
    elif len(signed.signatures) != len(payers_of(signed.messages)):
        yield refused("signers_differ", 4, "the file has another number of signatures than of paying accounts")
    if facts.height is not None and 0 < signed.timeout_height <= facts.height:
        text = f"the chain is at height {facts.height} and the file was good up to {signed.timeout_height}"
        yield refused("expired", 30, text)
    size = len(signed.memo.encode())
    if size > facts.memo_bytes:
        yield refused("memo_too_long", 12, f"the memo has {size} bytes; the chain takes {facts.memo_bytes}")
    least = gas_before_messages(signed)
    if signed.fee.gas_limit < least:
        text = f"the gas limit {signed.fee.gas_limit} does not even pay for checking the file (about {least})"
        yield refused("gas_too_small", 11, text)
    yield from _fee(signed, facts)


def _fee(signed: SignedTransaction, facts: PayerFacts) -> Iterator[Finding]:
    if facts.gas_price is not None:
        needed = fee_uakt(signed.fee.gas_limit, facts.gas_price)
        if signed.fee.uakt < needed:
            yield refused(
                "fee_too_low", 13, f"the fee is {signed.fee.uakt}uakt; the node asks {needed}uakt for this gas"
            )
    if facts.balance_uakt is not None and signed.fee.uakt > facts.balance_uakt:
        text = f"the account holds {facts.balance_uakt}uakt, less than the fee: fund it first"
        yield refused("fee_not_covered", 5, text)


def _gas_of_messages(signed: SignedTransaction) -> Iterator[Finding]:
    least = least_gas(signed)
    if gas_before_messages(signed) <= signed.fee.gas_limit < least:
        yield in_block(
            "out_of_gas", 11, f"the gas limit {signed.fee.gas_limit} is below the least it needs ({least})"
        )


def _against_approved(approved: Export, signed: SignedTransaction, facts: PayerFacts) -> Iterator[Finding]:
    if signed.body_bytes != approved.body_bytes:
        yield not_approved("body_differs", _difference(approved, signed))
    if payers_of(signed.messages) != (facts.address,):
        yield not_approved("payer_differs", f"the file does not pay from {facts.address} alone")
    if any(denom != DENOM for _, denom, _ in transfers_of(signed.messages)):
        yield not_approved("other_denom", f"the file pays in something else than {DENOM}")
    if signed.fee.payer or signed.fee.granter:
        yield not_approved("fee_payer", "the file names somebody else to pay its fee")
    if any(coin.denom != DENOM or (coin.units or 0) < 0 for coin in signed.fee.amount):
        yield not_approved("fee_denom", f"the fee must be in {DENOM}")
    if signed.fee.uakt > max(approved.fee.amount_uakt * MOST_FEES, 1):
        yield not_approved(
            "fee_too_high", f"the fee is {signed.fee.uakt}uakt; {approved.fee.amount_uakt}uakt were approved"
        )
    elif (signed.fee.uakt, signed.fee.gas_limit) != (approved.fee.amount_uakt, approved.fee.gas_limit):
        exported = f"{approved.fee.amount_uakt}uakt for {approved.fee.gas_limit} gas"
        yield note("fee_changed", f"{signed.fee.uakt}uakt for {signed.fee.gas_limit} gas instead of {exported}")


def _difference(approved: Export, signed: SignedTransaction) -> str:
    """Which part differs, in words."""
    if signed.memo != approved.memo:
        return f"the memo is {signed.memo[:256]!r}; approved was {approved.memo[:256]!r}"
    if signed.timeout_height != approved.timeout_height:
        return f"the timeout height is {signed.timeout_height}; approved was {approved.timeout_height}"
    others = transfers_of(signed.messages) - transfers_of(approved.messages)
    if others:
        address, denom, amount = next(iter(others))
        return f"{address[:90]} would get {amount}{denom[:40]}, which was not approved"
    missing = transfers_of(approved.messages) - transfers_of(signed.messages)
    if missing:
        address, denom, amount = next(iter(missing))
        return f"{address[:90]} would not get the approved {amount}{denom[:40]}"
    return "the file pays the same in another form or order; sign the exported file as it is"
