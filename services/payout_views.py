"""A payout as values: its terms, people, batches, files, and what was found of it on the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.moment import Moment, format_moment
from tasks.payout.approval import Approvals
from tasks.payout.lifecycle import BatchState
from tasks.payout.plan import Terms, Unpaid
from tasks.payout.sealing import Part, Paying
from tasks.rewards.money import parse_rate
from verifiers.payout.reconcile import NEXT, State

_ORDER = (
    BatchState.QUESTION,
    BatchState.PLANNED,
    BatchState.APPROVED,
    BatchState.EXPORTED,
    BatchState.SIGNED,
    BatchState.BROADCAST,
    BatchState.DEAD,
    BatchState.PARTLY_PAID,
    BatchState.PAID,
    BatchState.DISCARDED,
)
"""A payout is called after the first of these that one of its batches is in: what is to be done next."""


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A signed file that was checked and stored; `hash` is the transaction's."""

    hash: str
    sequence: int
    sha256: str
    actor: str
    checked_at: Moment
    broadcast_at: Moment | None
    answer: Mapping[str, object] | None

    def document(self) -> dict[str, object]:
        """The file as JSON."""
        return {
            "hash": self.hash,
            "sequence": str(self.sequence),
            "sha256": self.sha256,
            "checked_at": format_moment(self.checked_at),
            "broadcast_at": _time(self.broadcast_at),
            "answer": self.answer,
        }


@dataclass(frozen=True, slots=True)
class Frozen:
    """What an export froze; `account_number` and `sequence` are what the signers were told."""

    at: Moment
    height: int
    timeout_height: int
    fee_uakt: int
    gas_limit: int
    account_number: int
    sequence: int
    sha256: str

    def document(self) -> dict[str, object]:
        """The export as JSON."""
        return {
            "at": format_moment(self.at),
            "height": str(self.height),
            "timeout_height": str(self.timeout_height),
            "fee_uakt": str(self.fee_uakt),
            "gas_limit": str(self.gas_limit),
            "account_number": str(self.account_number),
            "sequence": str(self.sequence),
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class Found:
    """What reconciling found last, and the transaction behind it where there is one."""

    state: State
    detail: str
    is_over: bool
    looked_at: Moment | None
    searched_to: int | None
    tx_hash: str | None
    tx_height: int | None
    tx_time: Moment | None

    @property
    def next_step(self) -> str:
        """What to do."""
        return NEXT[State.EXPIRED if self.state is State.FAILED and self.is_over else self.state]

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {
            "state": str(self.state),
            "detail": self.detail,
            "next": self.next_step,
            "looked_at": _time(self.looked_at),
            "searched_to": None if self.searched_to is None else str(self.searched_to),
            "tx_hash": self.tx_hash,
            "tx_height": None if self.tx_height is None else str(self.tx_height),
            "tx_time": _time(self.tx_time),
        }


@dataclass(frozen=True, slots=True)
class BatchView:
    """One batch; `payout` is the payout's number. `exported` is None before its export, `found` before a look."""

    id: int
    payout: int
    name: str
    number: int
    attempt: int
    state: BatchState
    first_place: int
    size: int
    total_micro: int
    total_uakt: int
    rows_hash: str
    memo: str
    changed_at: Moment
    exported: Frozen | None
    found: Found | None
    signed: tuple[SignedFile, ...]

    def document(self) -> dict[str, object]:
        """The batch as JSON."""
        return {
            "batch": self.name,
            "attempt": self.attempt,
            "state": str(self.state),
            "payees": self.size,
            "amount_micro": self.total_micro,
            "total_uakt": str(self.total_uakt),
            "rows_hash": self.rows_hash,
            "memo": self.memo,
            "exported": self.exported.document() if self.exported else None,
            "signed": [file.document() for file in self.signed],
            "found": self.found.document() if self.found else None,
        }


@dataclass(frozen=True, slots=True)
class Approval:
    """One signature over a plan; `person` is the participant whom the address belongs to, else the address."""

    address: str
    person: str
    part: Part
    proof: str
    at: Moment

    def document(self) -> dict[str, object]:
        """The signature as JSON."""
        return {"address": self.address, "part": str(self.part), "proof": self.proof, "at": format_moment(self.at)}


@dataclass(frozen=True, slots=True)
class PayoutView:
    """One payout. `approvals` are those of its newest attempt, `batches` those of all attempts, in order."""

    id: int
    campaign: str
    terms: Terms
    paying: Paying
    digest: str
    total_micro: int
    total_uakt: int
    unpaid: tuple[Unpaid, ...]
    actor: str
    drafted_at: Moment
    approvals: tuple[Approval, ...]
    batches: tuple[BatchView, ...]

    @property
    def number(self) -> int:
        """Its number within the campaign."""
        return self.paying.number

    @property
    def current(self) -> tuple[BatchView, ...]:
        """The batches that no later attempt took the place of."""
        newest = {batch.number: batch for batch in self.batches}
        return tuple(newest.values())

    @property
    def state(self) -> BatchState:
        """What it waits for, in one word."""
        states = {batch.state for batch in self.current}
        return next(state for state in _ORDER if state in states)

    @property
    def waits_for_signatures(self) -> bool:
        """Whether a batch of it waits for its planner's or approvers' signatures."""
        return any(batch.state is BatchState.PLANNED for batch in self.current)

    @property
    def waits_for_export(self) -> bool:
        """Whether a batch of it is approved and not exported yet."""
        return any(batch.state is BatchState.APPROVED for batch in self.current)

    @property
    def payees(self) -> int:
        """How many are paid by it."""
        return sum(batch.size for batch in self.current)

    @property
    def planner(self) -> Approval | None:
        """Who signed as its planner."""
        return next((each for each in self.approvals if each.part is Part.PLANNER), None)

    @property
    def eyes(self) -> Approvals:
        """Who approved it, and how many must."""
        approvers = tuple(each.person for each in self.approvals if each.part is Part.APPROVER)
        planner = self.planner.person if self.planner else ""
        return Approvals(planner, approvers, self.total_uakt, self.paying.third_above_uakt)

    @property
    def needed(self) -> int:
        """How many others than the planner must approve."""
        return self.eyes.needed

    @property
    def is_enough(self) -> bool:
        """Whether its planner and enough others signed."""
        return self.planner is not None and self.eyes.is_enough

    def document(self) -> dict[str, object]:
        """The payout as JSON, without its rows."""
        terms, paying = self.terms, self.paying
        return {
            "payout": self.number,
            "campaign": self.campaign,
            "task": terms.task,
            "state": str(self.state),
            "unit": terms.unit,
            "rate": terms.rate.text,
            "rate_source": terms.rate_source,
            "rate_at": format_moment(terms.rate_at),
            "minimum_micro": terms.minimum_micro,
            "payer": paying.payer,
            "payout_chain_id": paying.chain_id,
            "ledger": paying.has_ledger,
            "as_sends": paying.as_sends,
            "attempt": paying.attempt,
            "digest": self.digest,
            "payees": self.payees,
            "amount_micro": self.total_micro,
            "total_uakt": str(self.total_uakt),
            "drafted_at": format_moment(self.drafted_at),
            "approvals": [each.document() for each in self.approvals],
            "approvals_needed": self.needed,
            "is_approved": self.is_enough,
            "batches": [batch.document() for batch in self.batches],
            "unpaid": [unpaid_document(each) for each in self.unpaid],
        }


def unpaid_document(unpaid: Unpaid) -> dict[str, object]:
    """Who is not paid and why, as JSON; `detail` is for staff."""
    return {
        "participant": unpaid.participant,
        "amount_micro": unpaid.amount_micro,
        "reason": str(unpaid.reason),
        "detail": unpaid.detail,
        "lines": list(unpaid.lines),
    }


def terms_of(campaign: str, task: str | None, unit: str, rate: str, source: str, at: int, minimum: int) -> Terms:
    """A plan's terms from what is kept of them."""
    return Terms(campaign, task, unit, parse_rate(rate), source, Moment(at), minimum)


def _time(moment: Moment | None) -> str | None:
    return None if moment is None else format_moment(moment)
