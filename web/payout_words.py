"""Payouts in plain words: what a state means, who must act next, and what to do about each finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.payout_handing import Handed
from services.payout_views import BatchView, Found, PayoutView
from tasks.payout.lifecycle import BatchState
from verifiers.payout.findings import Finding, Phase
from verifiers.payout.reconcile import NEXT, State


@dataclass(frozen=True, slots=True)
class Said:
    """A state in words. `looks`: the outcome whose icon fits; `step`: what happens next and who must act."""

    words: str
    looks: str
    step: str


_BATCH: Mapping[BatchState, Said] = {
    BatchState.PLANNED: Said("Planned", "pending", "Waits for the signatures of the payout."),
    BatchState.APPROVED: Said("Approved", "pending", "Treasurer: export it, then have the file signed."),
    BatchState.EXPORTED: Said(
        "Exported", "pending", "Treasurer: sign the file with the paying account, then hand the signed file in here."
    ),
    BatchState.SIGNED: Said(
        "Signed and checked", "pending", "Treasurer: send it from this page or by the command line."
    ),
    BatchState.BROADCAST: Said(
        "Sent", "pending", "We look for it on the chain. Only a block proves a payment, not the answer to sending."
    ),
    BatchState.PAID: Said("Paid", "passed", "Nobody needs to do anything."),
    BatchState.QUESTION: Said(
        "A person must decide", "unknown", "Treasurer: look at the transaction and say what it paid."
    ),
    BatchState.PARTLY_PAID: Said("Partly paid", "passed", "The rows that were not paid are owed again."),
    BatchState.DEAD: Said(
        "Never paid", "failed", "It can't be paid any more. Its rows are owed again: plan them once more."
    ),
    BatchState.DISCARDED: Said("Discarded", "failed", "Given up before any file of it existed. Its rows are owed."),
}

_PUBLIC: Mapping[BatchState, str] = {
    BatchState.PLANNED: "planned, waits for approval",
    BatchState.APPROVED: "approved",
    BatchState.EXPORTED: "on the way: waits for its signatures",
    BatchState.SIGNED: "on the way: signed",
    BatchState.BROADCAST: "on the way: sent to the chain",
    BatchState.QUESTION: "the organizers look at its transaction",
    BatchState.PAID: "paid",
    BatchState.PARTLY_PAID: "paid",
}

_DO: Mapping[str, str] = {
    "unreadable": "Hand in the file that the command line wrote with --output-document, or its text, whole.",
    "not_signed": "This is the file to be signed. Sign it, then hand in what that wrote.",
    "signers_differ": "Sign the exported file again with the paying account alone.",
    "expired": "It can't be sent any more. Reconcile; once it is provably dead, plan its rows again.",
    "memo_too_long": "Sign the exported file as it is.",
    "gas_too_small": "Sign the exported file as it is, with its own gas limit.",
    "out_of_gas": "Sign the exported file as it is, with its own gas limit.",
    "fee_too_low": "Sign the exported file as it is, with its own fee.",
    "fee_not_covered": "Fund the paying account, then hand the same file in again.",
    "insufficient_funds": "Fund the paying account, then hand the same file in again.",
    "body_differs": "Sign the exported file as it is. Export it again here if you don't have it.",
    "payer_differs": "Sign with the paying account that the payout names.",
    "other_denom": "Sign the exported file as it is.",
    "fee_payer": "Sign again without --fee-payer and --fee-granter.",
    "fee_denom": "Sign the exported file as it is, with its own fee.",
    "fee_too_high": "Sign the exported file as it is, with its own fee.",
    "fee_changed": "Nothing, if it was meant: what is paid to people stays the same.",
    "several_signers": "Sign the exported file again with the paying account alone.",
    "key_missing": "Sign again and keep the signer's public key in the file.",
    "other_key": "Sign again with the key of the paying account; for a multisig give --multisig its address.",
    "too_many_keys": "Pay from an account with fewer keys: plan the payout for that one.",
    "wrong_sequence": "Sign the exported file again with the sequence that the account has now.",
    "too_few_signatures": "Let more members sign the same export, then join all their files again.",
    "signature_invalid": "Sign the exported file again with the chain id and account number that this page shows.",
    "other_chain": "Sign the exported file again with the chain id of this payout.",
    "module_account": "Discard or await this batch; the participant must name another address.",
    "address_invalid": "Sign the exported file as it is.",
    "amount_invalid": "Sign the exported file as it is.",
    "no_input": "Sign the exported file as it is.",
    "several_inputs": "Sign the exported file as it is.",
    "no_output": "Sign the exported file as it is.",
    "sums_differ": "Sign the exported file as it is.",
}

_OURS = frozenset({State.INDEX_OFF, State.PRUNED, State.UNREACHABLE, State.WRONG_CHAIN})

_PHASES: Mapping[Phase, tuple[str, str, str]] = {
    Phase.REFUSED: ("Refused", "failed", "A node refuses it at once."),
    Phase.IN_BLOCK: ("Fails", "failed", "Its block fails it: the fee is lost and nobody is paid."),
    Phase.NOT_APPROVED: ("Not approved", "failed", "A node would take it, but it is not what was approved."),
    Phase.NOTE: ("To know", "pending", ""),
}


@dataclass(frozen=True, slots=True)
class FindingSaid:
    """One finding as a row: how bad and why, what it is, what to do, and the code that a node would answer."""

    words: str
    looks: str
    meaning: str
    text: str
    do: str
    code: str


@dataclass(frozen=True, slots=True)
class HandedSaid:
    """One of several files as a row: the worst that was found in it, with what to do."""

    file: str
    batch: str | None
    looks: str
    words: str
    text: str
    do: str


def handed_said(handed: Handed) -> HandedSaid:
    """What became of one of several files."""
    file, batch = handed.file, handed.batch
    if handed.judged is None:
        do = _DO["unreadable"] if batch is None else "Look at the batch first."
        return HandedSaid(file, batch, "failed", "Not taken", _sentence(handed.trouble), do)
    if handed.judged.is_stored:
        words = "Good and stored" if handed.judged.is_new else "Good, stored before"
        return HandedSaid(file, batch, "passed", words, "", "Send it from the batch's page, or by the command line.")
    worst = next(each for each in handed.judged.checked.findings if each.phase is not Phase.NOTE)
    said = finding_said(worst)
    return HandedSaid(file, batch, "failed", "Not taken", said.text, said.do)


def batch_said(batch: BatchView) -> Said:
    """A batch's state for the staff; what was paid twice is an alarm, though its rows are paid."""
    if _is_paid_twice(batch):
        return Said("Paid twice", "failed", f"Treasurer: {_lower(NEXT[State.PAID_TWICE])}")
    return _BATCH[batch.state]


def is_ours(found: Found) -> bool:
    """Whether a look told nothing for a reason that only the platform can mend."""
    return found.state in _OURS


def public_words(state: BatchState) -> str | None:
    """A batch's state for everybody; None where its rows are simply owed again."""
    return _PUBLIC.get(state)


def payout_said(view: PayoutView) -> Said:
    """A payout's state: that of the batch which needs people first."""
    if view.state is BatchState.PLANNED and view.planner is None:
        return Said("Draft", "pending", "Treasurer: sign the plan, so that somebody else can approve it.")
    if view.state is BatchState.PLANNED:
        given = len(set(view.eyes.approvers))
        return Said(
            "Waits for approval", "pending", f"Approver: look at the rows, then sign ({given} of {view.needed})."
        )
    twice = next((batch for batch in view.current if _is_paid_twice(batch)), None)
    if twice is not None:
        return batch_said(twice)
    said = _BATCH[view.state]
    some_paid = view.state is not BatchState.PAID and any(each.state is BatchState.PAID for each in view.current)
    return replace(said, words=f"{said.words}, some paid") if some_paid else said


def finding_said(finding: Finding) -> FindingSaid:
    """A finding with what to do about it."""
    words, looks, meaning = _PHASES[finding.phase]
    code = f"{finding.codespace} {finding.code}" if finding.code else ""
    do = _DO.get(finding.name, "Sign the exported file as it is.")
    return FindingSaid(words, looks, meaning, _sentence(finding.text), do, code)


def _is_paid_twice(batch: BatchView) -> bool:
    return batch.found is not None and batch.found.state is State.PAID_TWICE


def _sentence(text: str) -> str:
    """A finding as a sentence; an address at its start stays what it is."""
    begun = text if text.startswith("akash1") else text[:1].upper() + text[1:]
    return begun if begun.endswith(".") else f"{begun}."


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
