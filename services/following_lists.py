"""Bootstrap of the index: every list of the chain, page by page, at one height if the node still has it."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from ledger.chain import CursorRow
from ledger.chain_index import Row, block_at, index_digest, move_cursor, set_lease_gpus, store_blocks
from services.chain_rows import LISTED, Indexed, Tables, store_tables
from services.house import House
from verifiers.chain.client import Chain, TipStatus
from verifiers.chain.trouble import BadPage, Pruned

log = structlog.get_logger()

PAGE_ROWS = 1000
"""The page size that the network's own Console uses (akash-chain.md 1.3)."""

FIRST = next(iter(LISTED))


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page, read: the rows for the index and where the next page begins."""

    tables: Tables
    next_key: str | None


def list_next_page(house: House, chain: Chain, cursor: CursorRow, tip: TipStatus) -> None:
    """Read one page and keep it, together with where to go on, in one transaction.

    Where the pinned height is gone, the same page is asked at the tip: what changed in between is found in the
    blocks, which are followed from the lowest height that any page was read at. Raises the client's troubles.
    """
    if cursor.listing_height is None:
        begin_lists(house, cursor, tip)
        return
    indexed = LISTED[cursor.listing or FIRST]
    try:
        page = _read(chain, indexed, cursor.chain_id, cursor.page_key, cursor.listing_height)
    except Pruned:
        if tip.height <= cursor.listing_height:
            raise
        _go_on_at(house, cursor, tip)
        return
    following = _after(indexed, page)
    if following is None:
        house.ledger.transact(lambda session: _finish(session, cursor, tip, page))
        log.info("chain_listing_done", chain_id=cursor.chain_id, lowest=cursor.lowest_height)
        return
    house.ledger.transact(lambda session: _keep(session, cursor, page, following))


def begin_lists(house: House, cursor: CursorRow, tip: TipStatus, digest: str | None = None) -> None:
    """Begin with the first list at the tip. `digest`: of the index as the lists before left it."""
    changes: Row = {
        "stage": "listing",
        "listing": FIRST,
        "listing_height": tip.height,
        "lowest_height": tip.height,
        "page_key": None,
        "listing_round": cursor.listing_round + 1,
        "listing_digest": digest,
    }
    log.info("chain_listing_began", chain_id=cursor.chain_id, height=tip.height, round=cursor.listing_round + 1)
    house.ledger.transact(lambda session: _pin(session, cursor, tip, changes))


def _pin(session: Session, cursor: CursorRow, tip: TipStatus, changes: Row) -> None:
    """Move the cursor to lists at the tip, whose block is kept: a reset meanwhile is known by its hash."""
    store_blocks(session, [{"chain_id": tip.chain_id, "height": tip.height, "hash": tip.hash, "time_ns": tip.time}])
    move_cursor(session, cursor, changes)


def list_again(house: House, cursor: CursorRow, tip: TipStatus) -> None:
    """The blocks after the cursor are gone: what happened in them can only be seen by listing again."""
    with house.ledger.read() as session:
        digest = index_digest(session, cursor.chain_id)
    begin_lists(house, cursor, tip, digest)


def _read(chain: Chain, indexed: Indexed, chain_id: str, key: str | None, height: int) -> ListPage:
    parameters = {"pagination.limit": str(PAGE_ROWS)}
    if key is not None:
        parameters["pagination.key"] = key
    answer = chain.get(indexed.listing.path(chain.api), parameters, height)
    rows = indexed.listing.decode(answer.body, chain.api)
    if rows.next_key and rows.next_key == key:
        raise BadPage(f"the list of {indexed.name} gives the same page again; ask another node")
    return ListPage(indexed.rows(rows.rows, chain_id, height), rows.next_key)


def _after(indexed: Indexed, page: ListPage) -> tuple[str, str | None] | None:
    """The list and page key to go on with; `None` after the last page of the last list."""
    if page.next_key:
        return indexed.name, page.next_key
    names = list(LISTED)
    rest = names[names.index(indexed.name) + 1 :]
    return (rest[0], None) if rest else None


def _keep(session: Session, cursor: CursorRow, page: ListPage, following: tuple[str, str | None]) -> None:
    store_tables(session, page.tables)
    move_cursor(session, cursor, {"listing": following[0], "page_key": following[1]})


def _go_on_at(house: House, cursor: CursorRow, tip: TipStatus) -> None:
    untouched = cursor.listing == FIRST and cursor.page_key is None
    lowest = tip.height if untouched else cursor.lowest_height
    log.info("chain_listing_height_gone", chain_id=cursor.chain_id, gone=cursor.listing_height, now=tip.height)
    changes: Row = {"listing_height": tip.height, "lowest_height": lowest}
    house.ledger.transact(lambda session: _pin(session, cursor, tip, changes))


def _finish(session: Session, cursor: CursorRow, tip: TipStatus, page: ListPage) -> None:
    """Keep the last page and follow from the lowest height read at; where two lists agree, from later on."""
    store_tables(session, page.tables)
    set_lease_gpus(session, cursor.chain_id)
    height = lowest = cursor.lowest_height or tip.height
    if cursor.listing_digest is not None and index_digest(session, cursor.chain_id) == cursor.listing_digest:
        # Nothing changed between the two lists, so the blocks in between, gone by now, hold nothing.
        height = max(lowest, min(tip.earliest_height - 1, cursor.listing_height or lowest))
    known = block_at(session, cursor.chain_id, height)
    changes: Row = {
        "stage": "following",
        "height": height,
        "hash": known.hash if known else None,
        "time_ns": known.time_ns if known else None,
        "listing": None,
        "page_key": None,
        "creations_due_height": height,
    }
    move_cursor(session, cursor, changes)
