"""From typed answers of the chain to rows of the follower's index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ledger.base import Base
from ledger.chain import BidRow, DeploymentRow, GroupRow, LeaseRow, OrderRow, ProviderRow
from ledger.chain_index import Row, store_index
from verifiers.chain.answers import DEPLOYMENTS, PROVIDERS, DeploymentInfo, Listing, Provider, format_atto
from verifiers.chain.answers.heads import BID_HEADS, LEASE_HEADS, ORDER_HEADS, BidHead, LeaseHead, OrderHead

SETTLED_FOR_GOOD = frozenset({"closed", "overdrawn"})
"""States of an escrow account whose `settled_at` is the deployment's close height (akash-chain.md 1.4)."""

Tables = tuple[tuple[type[Base], list[Row]], ...]


@dataclass(frozen=True, slots=True)
class Indexed:
    """One list of the chain that the index keeps: how to ask for it, how its rows look here."""

    name: str
    listing: Listing[Any]
    rows: Callable[[Iterable[Any], str, int], Tables]
    table: type[Base]


def deployment_rows(infos: Iterable[DeploymentInfo], chain_id: str, height: int) -> Tables:
    """Deployments and their groups as read at `height`."""
    deployments: list[Row] = []
    groups: list[Row] = []
    for info in infos:
        where = {"chain_id": chain_id, "owner": info.id.owner, "dseq": info.id.dseq}
        escrow = info.escrow_account.state
        closed = info.deployment.state == "closed" and escrow.state in SETTLED_FOR_GOOD
        deployments.append(
            where
            | {
                "state": info.deployment.state,
                "hash": info.deployment.hash,
                "created_at": info.deployment.created_at,
                "closed_at": escrow.settled_at if closed else None,
                "gpu_units": info.gpu_units,
                "gpu_models": list(info.gpu_models),
                "read_height": height,
            }
        )
        groups.extend(
            where
            | {
                "gseq": group.id.gseq,
                "state": group.state,
                "gpu_units": group.gpu_units,
                "gpu_models": list(group.gpu_models),
                "created_at": group.created_at,
                "read_height": height,
            }
            for group in info.groups
        )
    return (DeploymentRow, deployments), (GroupRow, groups)


def order_rows(orders: Iterable[OrderHead], chain_id: str, height: int) -> Tables:
    """Orders as read at `height`."""
    rows: list[Row] = [
        {
            "chain_id": chain_id,
            "owner": order.id.owner,
            "dseq": order.id.dseq,
            "gseq": order.id.gseq,
            "oseq": order.id.oseq,
            "state": order.state,
            "created_at": order.created_at,
            "read_height": height,
        }
        for order in orders
    ]
    return ((OrderRow, rows),)


def bid_rows(bids: Iterable[BidHead], chain_id: str, height: int) -> Tables:
    """Bids as read at `height`."""
    rows: list[Row] = [
        {
            "chain_id": chain_id,
            "owner": bid.id.owner,
            "dseq": bid.id.dseq,
            "gseq": bid.id.gseq,
            "oseq": bid.id.oseq,
            "provider": bid.id.provider,
            "bseq": bid.id.bseq,
            "state": bid.state,
            "price": format_atto(bid.price.amount),
            "denom": bid.price.denom,
            "created_at": bid.created_at,
            "read_height": height,
        }
        for bid in bids
    ]
    return ((BidRow, rows),)


def lease_rows(leases: Iterable[LeaseHead], chain_id: str, height: int) -> Tables:
    """Leases as read at `height`; their GPU units are set from the groups afterwards."""
    rows: list[Row] = [
        {
            "chain_id": chain_id,
            "owner": lease.id.owner,
            "dseq": lease.id.dseq,
            "gseq": lease.id.gseq,
            "oseq": lease.id.oseq,
            "provider": lease.id.provider,
            "bseq": lease.id.bseq,
            "state": lease.state,
            "price": format_atto(lease.price.amount),
            "denom": lease.price.denom,
            "created_at": lease.created_at,
            "closed_on": lease.closed_on or None,
            "reason": lease.reason,
            "gpu_units": 0,
            "read_height": height,
        }
        for lease in leases
    ]
    return ((LeaseRow, rows),)


def provider_rows(providers: Iterable[Provider], chain_id: str, height: int) -> Tables:
    """Providers as read at `height`: they were there then; when they were created no state tells."""
    rows: list[Row] = [
        {
            "chain_id": chain_id,
            "owner": provider.owner,
            "host_uri": provider.host_uri,
            "attributes": [[attribute.key, attribute.value] for attribute in provider.attributes],
            "created_at": None,
            "not_later_than": height,
            "read_height": height,
        }
        for provider in providers
    ]
    return ((ProviderRow, rows),)


LISTED: Mapping[str, Indexed] = {
    one.name: one
    for one in (
        Indexed("deployments", DEPLOYMENTS, deployment_rows, DeploymentRow),
        Indexed("orders", ORDER_HEADS, order_rows, OrderRow),
        Indexed("bids", BID_HEADS, bid_rows, BidRow),
        Indexed("leases", LEASE_HEADS, lease_rows, LeaseRow),
        Indexed("providers", PROVIDERS, provider_rows, ProviderRow),
    )
}
"""In the order in which they are listed."""

KEPT: Mapping[type[Base], frozenset[str]] = {ProviderRow: frozenset({"created_at", "not_later_than"})}


def store_tables(session: Session, tables: Tables) -> None:
    """Write the rows; what was read at a greater height stays."""
    for table, rows in tables:
        store_index(session, table, rows, KEPT.get(table, frozenset()))
