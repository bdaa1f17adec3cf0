"""Following block by block: what the events name is read afresh, at one height, and kept with the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from ledger.chain import CursorRow, ProviderRow
from ledger.chain_index import Row, created_provider, move_cursor, read_heights, set_lease_gpus, store_blocks
from services.chain_rows import LISTED, Tables, store_tables
from services.chain_time import block_row
from services.house import House
from verifiers.chain.answers import (
    AkashEvent,
    Block,
    ObjectId,
    akash_events,
    decode_block,
    decode_block_results,
    decode_deployment,
    decode_provider,
)
from verifiers.chain.client import Chain
from verifiers.chain.trouble import DoesNotExist, Pruned
from verifiers.evidence import Observation
from verifiers.trouble import Trouble

WINDOW = 20
"""Blocks in one transaction at most."""

_ALL = ("deployments", "orders", "bids", "leases")
TOUCHES = {
    "DeploymentCreated": ("deployments", "orders"),
    "DeploymentUpdated": ("deployments",),
    "DeploymentClosed": _ALL,
    "GroupStarted": _ALL,
    "GroupPaused": _ALL,
    "GroupClosed": _ALL,
    "OrderCreated": ("deployments", "orders"),
    "OrderClosed": ("deployments", "orders", "bids"),
    "BidCreated": ("bids",),
    "BidClosed": ("orders", "bids"),
    "LeaseCreated": ("orders", "bids", "leases"),
    "LeaseClosed": _ALL,
    "LeaseReclaimStarted": ("leases",),
}
"""Which lists of a deployment an event may have changed; a bid that becomes `lost` has no event of its own."""

ID_PARTS = {
    "deployments": (),
    "orders": ("gseq", "oseq"),
    "bids": ("gseq", "oseq", "provider", "bseq"),
    "leases": ("gseq", "oseq", "provider", "bseq"),
}


class ChainReset(Exception):
    """The chain is not the one that was followed: another block stands at a height that we know."""


class BlocksGone(Exception):
    """No node has the block after the cursor any more."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some blocks in a row: the headers that were read and the events in order."""

    last: int
    headers: tuple[Block, ...]
    events: tuple[AkashEvent, ...]


@dataclass(slots=True)
class Touched:
    """What has to be read afresh: lists of deployments, and providers."""

    lists: set[tuple[str, str, int]] = field(default_factory=set)
    providers: set[str] = field(default_factory=set)


def apply_next_blocks(house: House, chain: Chain, cursor: CursorRow, tip_height: int, limit: int = WINDOW) -> int:
    """Apply the blocks after the cursor, `limit` at most; returns the height reached.

    Raises BlocksGone where the next block is gone, ChainReset where it does not follow ours, the client's troubles.
    Objects are read at the tip, so each is read once however many events name it; the heights in the rows keep
    what is newer than the cursor apart.
    """
    window = read_window(chain, cursor, min(cursor.height + limit, tip_height))
    with house.ledger.read() as session:
        touched = what_to_read(session, cursor.chain_id, window.events)
    tables = list(_read(chain, cursor.chain_id, touched, tip_height))
    house.ledger.transact(lambda session: _keep(session, cursor, window, tables))
    return window.last


def read_window(chain: Chain, cursor: CursorRow, last: int) -> Window:
    """The blocks up to `last`, fewer where there is trouble with later ones; at least one, else BlocksGone."""
    first = cursor.height + 1
    try:
        headers = [_header(chain, first)]
        events = list(_events(chain, first))
    except Pruned as error:
        raise BlocksGone(str(error)) from error
    if cursor.hash is not None and headers[0].previous_hash != cursor.hash:
        raise ChainReset(
            f"block {cursor.height} was {cursor.hash} when we saw it, and block {first} "
            f"now follows {headers[0].previous_hash or 'nothing'}"
        )
    try:
        for height in range(first + 1, last + 1):
            found = _events(chain, height)
            # The header of a block with events gives its time; that of the last one is what the next must name.
            if found or height == last:
                headers.append(_header(chain, height))
            events.extend(found)
    except Trouble:  # if it lasts, it is the trouble of the next window's first block
        last = headers[-1].height
    return Window(last, tuple(headers), tuple(event for event in events if event.height <= last))


def _header(chain: Chain, height: int) -> Block:
    return decode_block(chain.block(height).body, chain.api)


def _events(chain: Chain, height: int) -> tuple[AkashEvent, ...]:
    return akash_events(decode_block_results(chain.block_results(height).body, chain.api))


def what_to_read(session: Session, chain_id: str, events: Iterable[AkashEvent]) -> Touched:
    """What the events changed and the index does not yet know; rows read at the event's height or later do."""
    touched = Touched()
    for event in events:
        if event.id is not None:
            for name in TOUCHES.get(event.name, ()):
                if (name, event.id.owner, event.id.dseq) not in touched.lists and not _knows(
                    session, chain_id, name, event.id, event.height
                ):
                    touched.lists.add((name, event.id.owner, event.id.dseq))
        elif event.owner is not None and event.name in {"ProviderCreated", "ProviderUpdated"}:
            heights = read_heights(session, ProviderRow, chain_id, event.owner, None).values()
            if min(heights, default=0) < event.height:
                touched.providers.add(event.owner)
    return touched


def _knows(session: Session, chain_id: str, name: str, named: ObjectId, height: int) -> bool:
    """Whether every row of the list was read at `height` or later, the one that the event names among them."""
    heights = read_heights(session, LISTED[name].table, chain_id, named.owner, named.dseq)
    if min(heights.values(), default=0) < height:
        return False
    parts = tuple(getattr(named, part) for part in ID_PARTS[name])
    return None in parts or parts in heights


def _read(chain: Chain, chain_id: str, touched: Touched, height: int) -> Iterator[Tables]:
    """Everything touched, at `height`; where a node has dropped that state meanwhile, at its new tip."""
    wanted: list[tuple[str, str, int | None]] = [*sorted(touched.lists)]
    wanted += [("providers", owner, None) for owner in sorted(touched.providers)]
    for name, owner, dseq in wanted:
        try:
            yield _read_one(chain, chain_id, name, owner, dseq, height)
        except Pruned:
            tip = chain.tip().height
            if tip <= height:
                raise
            height = tip
            yield _read_one(chain, chain_id, name, owner, dseq, height)


def _read_one(chain: Chain, chain_id: str, name: str, owner: str, dseq: int | None, height: int) -> Tables:
    indexed = LISTED[name]
    if name == "providers":
        answer = chain.get(chain.api.provider_info(owner), None, height)
        _must_exist(answer, f"provider {owner}")
        return indexed.rows([decode_provider(answer.body, chain.api)], chain_id, height)
    if name == "deployments":
        answer = chain.get(chain.api.deployments_info, {"id.owner": owner, "id.dseq": str(dseq)}, height)
        _must_exist(answer, f"deployment {owner}/{dseq}")
        return indexed.rows([decode_deployment(answer.body, chain.api)], chain_id, height)
    filters = {"filters.owner": owner, "filters.dseq": str(dseq)}
    pages = chain.walk(indexed.listing, filters, height)
    return indexed.rows([row for page in pages for row in page.rows], chain_id, height)


def _must_exist(answer: Observation, what: str) -> None:
    if answer.status == 404:
        raise DoesNotExist(f"a block's events name {what}, and the node's state lacks it: ask another node")


def _keep(session: Session, cursor: CursorRow, window: Window, tables: Sequence[Tables]) -> None:
    chain_id = cursor.chain_id
    for one in tables:
        store_tables(session, one)
    owners = {row["owner"] for one in tables for _table, rows in one for row in rows}
    for owner in sorted(str(owner) for owner in owners):
        set_lease_gpus(session, chain_id, owner)
    for event in window.events:
        if event.name == "ProviderCreated" and event.owner is not None:
            created_provider(session, chain_id, event.owner, event.height)
    store_blocks(session, [block_row(chain_id, block) for block in window.headers])
    last = window.headers[-1]
    changes: Row = {"height": window.last, "hash": last.hash, "time_ns": last.time, "listing_round": 0}
    move_cursor(session, cursor, changes)
