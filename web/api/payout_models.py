"""What the API answers about payouts: uakt and heights as decimal strings, micro amounts integers."""

from __future__ import annotations

from pydantic import Field

from web.api.models import Address, Answer, Decimal, Micro, Time

_STATES = (
    "planned, approved, exported, signed, broadcast, paid, partly paid, question (people look at its transaction), "
    "dead (never paid, owed again) or discarded"
)


class PayoutSummaryAnswer(Answer):
    """A payout in one line. `task` null: for the whole campaign; `rate`: units of the currency for one AKT."""

    number: int
    task: str | None
    unit: str
    rate: str
    total_micro: Micro
    total_uakt: Decimal
    paid_uakt: Decimal
    waiting_uakt: Decimal
    people: int
    planned_at: Time


class PayoutBatchAnswer(Answer):
    """A batch: one transaction, whose fields are null until it paid."""

    name: str
    state: str = Field(description=_STATES)
    people: int
    total_uakt: Decimal
    memo: str
    tx_hash: str | None
    tx_height: Decimal | None
    tx_time: Time | None


class PayoutRowAnswer(Answer):
    """What one address gets. `state` null: not paid by this payout, owed again."""

    participant: Address
    recipient: Address
    amount_micro: Micro
    amount_uakt: Decimal
    batch: str
    state: str | None
    tx_hash: str | None
    tx_height: Decimal | None
    tx_time: Time | None


class PayoutNotPaidAnswer(Answer):
    """What one participant does not get by this payout; below zero: what was overpaid before."""

    participant: Address
    amount_micro: Micro
    reason: str


class PayoutAnswer(Answer):
    """A payout: its terms, its batches with their transactions, and what is not paid by it."""

    campaign: str
    summary: PayoutSummaryAnswer
    rate_source: str
    rate_at: Time
    minimum_micro: Micro
    payer: Address
    payout_chain_id: str
    digest: str
    batches: list[PayoutBatchAnswer]
    not_paid: list[PayoutNotPaidAnswer]


class PayoutFile(PayoutAnswer):
    """The same with every row."""

    rows: list[PayoutRowAnswer]


class PayoutSignedAnswer(Answer):
    """A payout after a signature."""

    number: int
    state: str = Field(description=_STATES)
    digest: str
    is_approved: bool
