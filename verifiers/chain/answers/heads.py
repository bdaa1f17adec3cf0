"""Orders, bids and leases without what hangs on them: for readers of whole lists, who would only throw it away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifiers.chain.answers.border import Decoder, Listing, Pagination, Rows
from verifiers.chain.answers.market import LeaseId, OrderId
from verifiers.chain.answers.numbers import DecCoin, Whole
from verifiers.chain.apiset import CURRENT, ApiSet


@dataclass(frozen=True, slots=True)
class OrderHead:
    """An order without its spec."""

    id: OrderId
    state: str
    created_at: Whole


@dataclass(frozen=True, slots=True)
class BidHead:
    """A bid without offer and escrow."""

    id: LeaseId
    state: str
    price: DecCoin
    created_at: Whole


@dataclass(frozen=True, slots=True)
class LeaseHead:
    """A lease without payment and reclamation; `closed_on` is 0 while it runs."""

    id: LeaseId
    state: str
    price: DecCoin
    created_at: Whole
    closed_on: Whole
    reason: str = "lease_closed_invalid"


@dataclass(frozen=True, slots=True)
class _Bid:
    bid: BidHead


@dataclass(frozen=True, slots=True)
class _Lease:
    lease: LeaseHead


@dataclass(frozen=True, slots=True)
class _Orders:
    orders: tuple[OrderHead, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Bids:
    bids: tuple[_Bid, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Leases:
    leases: tuple[_Lease, ...]
    pagination: Pagination | None = None


_orders: Decoder[_Orders] = Decoder(_Orders, "list of orders")
_bids: Decoder[_Bids] = Decoder(_Bids, "list of bids")
_leases: Decoder[_Leases] = Decoder(_Leases, "list of leases")


def _decode_orders(body: bytes, api: ApiSet = CURRENT) -> Rows[OrderHead]:
    page = _orders(body, api)
    return Rows(page.orders, page.pagination.next_key if page.pagination else None)


def _decode_bids(body: bytes, api: ApiSet = CURRENT) -> Rows[BidHead]:
    page = _bids(body, api)
    return Rows(tuple(row.bid for row in page.bids), page.pagination.next_key if page.pagination else None)


def _decode_leases(body: bytes, api: ApiSet = CURRENT) -> Rows[LeaseHead]:
    page = _leases(body, api)
    return Rows(tuple(row.lease for row in page.leases), page.pagination.next_key if page.pagination else None)


def _facts(row: OrderHead | BidHead | LeaseHead) -> Mapping[str, str]:
    facts = {
        "owner": row.id.owner,
        "dseq": str(row.id.dseq),
        "gseq": str(row.id.gseq),
        "oseq": str(row.id.oseq),
        "state": row.state,
    }
    if isinstance(row, OrderHead):
        return facts
    return facts | {"provider": row.id.provider, "bseq": str(row.id.bseq)}


ORDER_HEADS: Listing[OrderHead] = Listing(
    "orders", lambda api: api.orders_list, _decode_orders, lambda row: row.id, _facts
)
BID_HEADS: Listing[BidHead] = Listing("bids", lambda api: api.bids_list, _decode_bids, lambda row: row.id, _facts)
LEASE_HEADS: Listing[LeaseHead] = Listing(
    "leases", lambda api: api.leases_list, _decode_leases, lambda row: row.id, _facts
)
