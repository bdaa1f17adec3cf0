"""The follower's index of the chain: rebuilt at will, says where and when to look, feeds the figures, proves nothing.

Every row carries the chain's id and `read_height`, the height at which its state was read.
"""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base, Json, Uint64


class CursorRow(Base):
    """Where the follower stands on one chain. `height`, `hash`, `time_ns`: the last block applied in full.

    `stage`: `listing` (bootstrap) or `following`; while listing, `listing` names the list, `page_key` the next page,
    `listing_height` the pinned height and `lowest_height` the lowest height that any row was read at;
    `listing_round` counts lists begun anew since a block was last applied, `listing_digest` is of the index before.
    `creations_due_height`: from which tip on creations of providers are searched for; None: nothing to search.
    `state`: bootstrapping, following, halted, lagging, reset or unreachable, with a sentence in `detail`.
    """

    __tablename__ = "chain_cursors"

    chain_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str]
    height: Mapped[int]
    hash: Mapped[str | None]
    time_ns: Mapped[int | None]
    listing: Mapped[str | None]
    listing_height: Mapped[int | None]
    lowest_height: Mapped[int | None]
    page_key: Mapped[str | None]
    listing_round: Mapped[int]
    listing_digest: Mapped[str | None]
    creations_due_height: Mapped[int | None]
    state: Mapped[str]
    detail: Mapped[str]
    checked_ns: Mapped[int]
    tip_height: Mapped[int | None]
    tip_time_ns: Mapped[int | None]
    earliest_height: Mapped[int | None]


class BlockRow(Base):
    """The time of a block, kept at first sight; `hash` where it was seen, upper-case hex."""

    __tablename__ = "chain_blocks"
    __table_args__ = (Index(None, "chain_id", "time_ns"),)

    chain_id: Mapped[str] = mapped_column(primary_key=True)
    height: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str | None]
    time_ns: Mapped[int]


class DeploymentRow(Base):
    """A deployment; `gpu_units` = units x count over its groups. `closed_at`: a height, once closed."""

    __tablename__ = "deployments"
    __table_args__ = (Index(None, "chain_id", "created_at"),)

    chain_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    dseq: Mapped[int] = mapped_column(Uint64, primary_key=True, autoincrement=False)
    state: Mapped[str]
    hash: Mapped[str]
    created_at: Mapped[int]
    closed_at: Mapped[int | None]
    gpu_units: Mapped[int]
    gpu_models: Mapped[list[str]] = mapped_column(Json)
    read_height: Mapped[int]


class GroupRow(Base):
    """A group of a deployment with what it asks: GPU units x count, models in lower case (`*`: any)."""

    __tablename__ = "deployment_groups"

    chain_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    dseq: Mapped[int] = mapped_column(Uint64, primary_key=True, autoincrement=False)
    gseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    gpu_units: Mapped[int]
    gpu_models: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[int]
    read_height: Mapped[int]


class OrderRow(Base):
    """A group put up for bids."""

    __tablename__ = "orders"

    chain_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    dseq: Mapped[int] = mapped_column(Uint64, primary_key=True, autoincrement=False)
    gseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    oseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    created_at: Mapped[int]
    read_height: Mapped[int]


class BidRow(Base):
    """A provider's bid; `price` a decimal of `denom` per block."""

    __tablename__ = "bids"
    __table_args__ = (Index(None, "chain_id", "provider"),)

    chain_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    dseq: Mapped[int] = mapped_column(Uint64, primary_key=True, autoincrement=False)
    gseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    oseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider: Mapped[str] = mapped_column(primary_key=True)
    bseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    price: Mapped[str]
    denom: Mapped[str]
    created_at: Mapped[int]
    read_height: Mapped[int]


class LeaseRow(Base):
    """A lease over `[created_at, closed_on)`; `gpu_units` are those of its group, `price` per block of `denom`."""

    __tablename__ = "leases"
    __table_args__ = (
        Index(None, "chain_id", "created_at"),
        Index(None, "chain_id", "provider"),
        Index(None, "chain_id", "state"),
    )

    chain_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    dseq: Mapped[int] = mapped_column(Uint64, primary_key=True, autoincrement=False)
    gseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    oseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider: Mapped[str] = mapped_column(primary_key=True)
    bseq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    price: Mapped[str]
    denom: Mapped[str]
    created_at: Mapped[int]
    closed_on: Mapped[int | None]
    reason: Mapped[str]
    gpu_units: Mapped[int]
    read_height: Mapped[int]


class ProviderRow(Base):
    """A provider. `created_at`: height of its creation, None where unknown: it existed at `not_later_than`."""

    __tablename__ = "providers"

    chain_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    host_uri: Mapped[str]
    attributes: Mapped[list[list[str]]] = mapped_column(Json)
    created_at: Mapped[int | None]
    not_later_than: Mapped[int]
    read_height: Mapped[int]
