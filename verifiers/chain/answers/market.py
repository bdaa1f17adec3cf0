"""Orders, bids and leases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifiers.chain.answers.border import Decoder, Listing, Pagination, Rows
from verifiers.chain.answers.deployments import Reclamation
from verifiers.chain.answers.escrow import EscrowAccount, Payment
from verifiers.chain.answers.numbers import DecCoin, Whole
from verifiers.chain.answers.resources import GpuModel, GroupSpec, Offer
from verifiers.chain.apiset import CURRENT, ApiSet

RUNNING = frozenset({"active", "reclaiming"})
"""Lease states that run and are paid each block (akash-recorded-v2/README.md, "Reclamation as seen")."""


@dataclass(frozen=True, slots=True)
class OrderId:
    """One try to find a provider for a group; `oseq` counts the tries."""

    owner: str
    dseq: Whole
    gseq: int
    oseq: int


@dataclass(frozen=True, slots=True)
class LeaseId:
    """Names a bid and the lease that came of it."""

    owner: str
    dseq: Whole
    gseq: int
    oseq: int
    provider: str
    bseq: int = 0


BidId = LeaseId


@dataclass(frozen=True, slots=True)
class Order:
    """`state`: `open`, `active` or `closed`."""

    id: OrderId
    state: str
    spec: GroupSpec
    created_at: Whole
    reclamation: Reclamation | None = None


@dataclass(frozen=True, slots=True)
class Bid:
    """`state`: `open`, `active`, `lost` or `closed`. A bid made by hand offers nothing: absence proves nothing."""

    id: LeaseId
    state: str
    price: DecCoin
    created_at: Whole
    resources_offer: tuple[Offer, ...] = ()
    reclamation_window: str | None = None

    @property
    def gpu_models_offered(self) -> tuple[GpuModel, ...]:
        """The GPU models the provider daemon filled in, in order."""
        return tuple(model for offer in self.resources_offer for model in offer.resources.gpu.models)


@dataclass(frozen=True, slots=True)
class BidInfo:
    """A bid with the account of its deposit."""

    bid: Bid
    escrow_account: EscrowAccount


@dataclass(frozen=True, slots=True)
class LeaseReclamation:
    """A provider's wish to leave: `started_at` is a height, `deadline` unix seconds, both 0 before the start."""

    window: str
    started_at: Whole
    deadline: Whole
    reason: str


@dataclass(frozen=True, slots=True)
class Lease:
    """`created_at` and `closed_on` are heights, `closed_on` is 0 while it runs; `price` is per block."""

    id: LeaseId
    state: str
    price: DecCoin
    created_at: Whole
    closed_on: Whole
    reason: str = "lease_closed_invalid"
    reclamation: LeaseReclamation | None = None

    @property
    def runs(self) -> bool:
        """Whether the chain still pays it."""
        return self.state in RUNNING


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """A lease with what it pays."""

    lease: Lease
    escrow_payment: Payment


@dataclass(frozen=True, slots=True)
class _Order:
    order: Order


@dataclass(frozen=True, slots=True)
class _Orders:
    orders: tuple[Order, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Bids:
    bids: tuple[BidInfo, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Leases:
    leases: tuple[LeaseInfo, ...]
    pagination: Pagination | None = None


_order: Decoder[_Order] = Decoder(_Order, "order")
_orders: Decoder[_Orders] = Decoder(_Orders, "list of orders")
_bids: Decoder[_Bids] = Decoder(_Bids, "list of bids")
_leases: Decoder[_Leases] = Decoder(_Leases, "list of leases")

decode_bid: Decoder[BidInfo] = Decoder(BidInfo, "bid")
decode_lease: Decoder[LeaseInfo] = Decoder(LeaseInfo, "lease")


def decode_order(body: bytes, api: ApiSet = CURRENT) -> Order:
    """One order."""
    return _order(body, api).order


def decode_orders(body: bytes, api: ApiSet = CURRENT) -> Rows[Order]:
    """A page of orders."""
    page = _orders(body, api)
    return Rows(page.orders, page.pagination.next_key if page.pagination else None)


def decode_bids(body: bytes, api: ApiSet = CURRENT) -> Rows[BidInfo]:
    """A page of bids."""
    page = _bids(body, api)
    return Rows(page.bids, page.pagination.next_key if page.pagination else None)


def decode_leases(body: bytes, api: ApiSet = CURRENT) -> Rows[LeaseInfo]:
    """A page of leases."""
    page = _leases(body, api)
    return Rows(page.leases, page.pagination.next_key if page.pagination else None)


def _order_facts(row: Order) -> Mapping[str, str]:
    return {
        "owner": row.id.owner,
        "dseq": str(row.id.dseq),
        "gseq": str(row.id.gseq),
        "oseq": str(row.id.oseq),
        "state": row.state,
    }


def _facts(row: Bid | Lease) -> Mapping[str, str]:
    return {
        "owner": row.id.owner,
        "dseq": str(row.id.dseq),
        "gseq": str(row.id.gseq),
        "oseq": str(row.id.oseq),
        "provider": row.id.provider,
        "bseq": str(row.id.bseq),
        "state": row.state,
    }


ORDERS: Listing[Order] = Listing(
    "orders", lambda api: api.orders_list, decode_orders, lambda row: row.id, _order_facts
)
BIDS: Listing[BidInfo] = Listing(
    "bids", lambda api: api.bids_list, decode_bids, lambda row: row.bid.id, lambda row: _facts(row.bid)
)
LEASES: Listing[LeaseInfo] = Listing(
    "leases", lambda api: api.leases_list, decode_leases, lambda row: row.lease.id, lambda row: _facts(row.lease)
)
