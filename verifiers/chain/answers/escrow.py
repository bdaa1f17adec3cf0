"""Escrow accounts and payments: what was put in, what is owed, what was paid."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from verifiers.chain.answers.border import Decoder, Listing, Pagination, Rows
from verifiers.chain.answers.numbers import Coin, DecCoin, Whole
from verifiers.chain.apiset import CURRENT, ApiSet


@dataclass(frozen=True, slots=True)
class EscrowId:
    """`scope` is `deployment` or `bid`; `xid` is `<owner>/<dseq>` or that of a bid."""

    scope: str
    xid: str


@dataclass(frozen=True, slots=True)
class Deposit:
    """One deposit still in the account; the list is empty once the account closed."""

    owner: str
    height: Whole
    source: str
    balance: DecCoin


@dataclass(frozen=True, slots=True)
class AccountState:
    """`state` is `open`, `closed` or `overdrawn`; `funds` and `transferred` hold one entry for each denom.

    The chain settles an account only when somebody touches it: `settled_at` is the height of the last time, and an
    account that ran dry stays `open` until then. `funds` of an overdrawn one are negative.
    """

    owner: str
    state: str
    transferred: tuple[DecCoin, ...]
    settled_at: Whole
    funds: tuple[DecCoin, ...]
    deposits: tuple[Deposit, ...] = ()


@dataclass(frozen=True, slots=True)
class EscrowAccount:
    """The account of one deployment or one bid."""

    id: EscrowId
    state: AccountState


@dataclass(frozen=True, slots=True)
class PaymentId:
    """`aid` names the account, `xid` is `<gseq>/<oseq>/<provider>`."""

    aid: EscrowId
    xid: str


@dataclass(frozen=True, slots=True)
class PaymentState:
    """`rate` per block; `withdrawn` is gross and lags behind `balance` and `unsettled`."""

    owner: str
    state: str
    rate: DecCoin
    balance: DecCoin
    unsettled: DecCoin
    withdrawn: Coin


@dataclass(frozen=True, slots=True)
class Payment:
    """What one lease pays."""

    id: PaymentId
    state: PaymentState


@dataclass(frozen=True, slots=True)
class _Accounts:
    accounts: tuple[EscrowAccount, ...]
    pagination: Pagination | None = field(default=None)


@dataclass(frozen=True, slots=True)
class _Payments:
    payments: tuple[Payment, ...]
    pagination: Pagination | None = field(default=None)


_accounts: Decoder[_Accounts] = Decoder(_Accounts, "list of escrow accounts")
_payments: Decoder[_Payments] = Decoder(_Payments, "list of escrow payments")


def decode_accounts(body: bytes, api: ApiSet = CURRENT) -> Rows[EscrowAccount]:
    """A page of escrow accounts. v1 nodes ignore the limit and answer everything; v2 nodes page."""
    page = _accounts(body, api)
    return Rows(page.accounts, page.pagination.next_key if page.pagination else None)


def decode_payments(body: bytes, api: ApiSet = CURRENT) -> Rows[Payment]:
    """A page of escrow payments."""
    page = _payments(body, api)
    return Rows(page.payments, page.pagination.next_key if page.pagination else None)


def _account_facts(row: EscrowAccount) -> Mapping[str, str]:
    return {"xid": f"{row.id.scope}/{row.id.xid}", "state": row.state.state}


def _payment_facts(row: Payment) -> Mapping[str, str]:
    return {"xid": f"{row.id.aid.scope}/{row.id.aid.xid}/{row.id.xid}", "state": row.state.state}


def _payment_identity(row: Payment) -> Hashable:
    return (row.id.aid, row.id.xid)


ACCOUNTS: Listing[EscrowAccount] = Listing(
    "accounts", lambda api: api.escrow_accounts, decode_accounts, lambda row: row.id, _account_facts
)
PAYMENTS: Listing[Payment] = Listing(
    "payments", lambda api: api.escrow_payments, decode_payments, _payment_identity, _payment_facts
)
