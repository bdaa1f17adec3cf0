"""What an escrow account has really paid and until which height its money lasts (pure).

The chain settles an account only when somebody touches it: an open lease shows zeros, an account that ran dry stays
`open` with its funds as they were (akash-recorded/README.md, surprises 4, 24 and 25).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from verifiers.chain.answers import ATTO, AccountState, Atto, LeaseInfo, PaymentState, amount_in

DRAWING = frozenset({"open", "overdrawn"})
"""Payments that draw on the account: an overdrawn one did until the settlement that found it dry."""


@dataclass(frozen=True, slots=True)
class Span:
    """The blocks of one lease that count, `created_at` to `end`; `is_dry` where the money ended it, not a close."""

    created_at: int
    end: int
    is_dry: bool

    @property
    def blocks(self) -> int:
        """How many blocks count."""
        return max(self.end - self.created_at, 0)


def rate_sum(leases: Iterable[LeaseInfo], denom: str) -> Atto:
    """The rates of all payments that draw on one account, in one denom; `leases` are all leases of the deployment."""
    states = (lease.escrow_payment.state for lease in leases)
    return Atto(sum(state.rate.amount for state in states if state.state in DRAWING and state.rate.denom == denom))


def last_paid_height(account: AccountState, payment: PaymentState, rates: Atto) -> int | None:
    """The last height whose block the account pays: `settled_at` + floor(funds / rates), in the payment's denom.

    Negative funds give a height before the settlement that found the account overdrawn. None where this payment
    draws no more (it was settled and closed) or costs nothing: then the money ends nothing.
    """
    if payment.state not in DRAWING or rates <= 0:
        return None
    return account.settled_at + amount_in(account.funds, payment.rate.denom) // rates


def counted_span(lease: LeaseInfo, account: AccountState, rates: Atto, height: int) -> Span:
    """From `created_at` to the smallest of `closed_on`, last paid height and `height`, the height of the look."""
    end = min(lease.lease.closed_on or height, height)
    paid_until = last_paid_height(account, lease.escrow_payment.state, rates)
    if paid_until is not None and paid_until < end:
        return Span(lease.lease.created_at, max(paid_until, lease.lease.created_at), is_dry=True)
    return Span(lease.lease.created_at, end, is_dry=False)


def uncharged_blocks(lease: LeaseInfo, leases: Iterable[LeaseInfo], end: int) -> int:
    """Blocks of a lease up to `end` that the chain may have charged to nobody.

    Creating another lease of the same deployment settles the account without crediting the payments that run already
    (akash-recorded, 20001: three leases made in blocks 97, 98, 99 and settled at 102; the first was paid 3 blocks of
    5). What the chain itself forgoes can't be asked of the tenant. `leases` are all leases of the deployment.
    """
    start = lease.lease.created_at
    later = (each.lease.created_at for each in leases if start < each.lease.created_at <= end)
    return max(later, default=start) - start


def really_paid(lease: LeaseInfo, account: AccountState, span: Span) -> Atto:
    """Withdrawn (gross) + balance + unsettled + rate x the counted blocks after `settled_at`, in the rate's denom.

    The `unsettled` of an overdrawn payment is a debt, not money: it does not count.
    """
    payment = lease.escrow_payment.state
    denom = payment.rate.denom
    paid = payment.withdrawn.amount * ATTO if payment.withdrawn.denom == denom else 0
    paid += amount_in((payment.balance,), denom)
    if payment.state != "overdrawn":
        paid += amount_in((payment.unsettled,), denom)
    if payment.state == "open":
        unsettled_blocks = span.end - max(account.settled_at, span.created_at)
        paid += payment.rate.amount * max(unsettled_blocks, 0)
    return Atto(paid)
