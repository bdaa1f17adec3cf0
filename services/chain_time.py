"""Height and time: which block was the first from a moment on. Each look-up is kept for good."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger.chain import BlockRow
from ledger.chain_index import Row, block_at, blocks_around, store_blocks
from services.house import House
from tasks.moment import Moment
from verifiers.chain.answers import Block, decode_block
from verifiers.chain.client import Chain
from verifiers.chain.trouble import NotConnected, Pruned

GUESSES = 6
"""Block times are nearly even, so guessing in proportion finds the place in two or three; then halving goes on."""


def time_of(session: Session, chain_id: str, height: int) -> Moment | None:
    """The time of a block, where kept."""
    row = block_at(session, chain_id, height)
    return None if row is None else Moment(row.time_ns)


def first_known_from(session: Session, chain_id: str, moment: Moment) -> int | None:
    """The height of the first block from `moment` on where that is certain from what is kept, else `None`.

    Certain: the block before it is kept too and lies before the moment, or it is the chain's first.
    """
    before, after = blocks_around(session, chain_id, moment)
    if after is None:
        return None
    last_before = before.height if before is not None else 0
    return after.height if after.height == last_before + 1 else None


def fetched_block(house: House, chain: Chain, chain_id: str, height: int) -> Block:
    """A block's header from the chain, kept in the cache. Raises the chain client's troubles."""
    block = decode_block(chain.block(height).body, chain.api)
    house.ledger.transact(lambda session: store_blocks(session, [block_row(chain_id, block)]))
    return block


def block_row(chain_id: str, block: Block) -> Row:
    """The row that keeps a block's time and hash."""
    return {"chain_id": chain_id, "height": block.height, "hash": block.hash, "time_ns": block.time}


def height_at(house: House, chain_id: str, moment: Moment) -> int | None:
    """The height of the first block not earlier than `moment`; `None` while the chain has none.

    Looks only between the nearest kept blocks, a few headers at most; what it finds is kept. The followed tip and
    the earliest block bound the search. Raises Pruned where the place lies among blocks that are gone, and the
    chain client's other troubles.
    """
    chain = house.chain
    if chain is None:
        raise NotConnected("no node is set: set WAYMARK_CHAIN_REST and WAYMARK_CHAIN_RPC")
    for attempt in range(GUESSES + 64):
        with house.ledger.read() as session:
            known = first_known_from(session, chain_id, moment)
            before, after = blocks_around(session, chain_id, moment)
        if known is not None or after is None:
            return known
        low = before if before is not None else _first(house, chain, chain_id)
        if low.time_ns >= moment:
            if low.height == 1:
                return 1
            raise Pruned(
                f"the first block from that moment lies below height {low.height}, which is gone", low.height
            )
        fetched_block(house, chain, chain_id, _guess(low, after, moment, halve=attempt >= GUESSES))
    raise AssertionError(f"{chain_id} has block times that run backwards near {moment}")


def _first(house: House, chain: Chain, chain_id: str) -> BlockRow:
    """The earliest block that the node still has."""
    block = fetched_block(house, chain, chain_id, chain.tip().earliest_height)
    return BlockRow(chain_id=chain_id, height=block.height, hash=block.hash, time_ns=block.time)


def _guess(low: BlockRow, high: BlockRow, moment: Moment, *, halve: bool) -> int:
    """A height strictly between two kept blocks, near where `moment` must be."""
    span = high.height - low.height
    # In proportion, rounded down: a right guess is the last block before the moment, and the next look ends it.
    step = span // 2 if halve else (moment - low.time_ns) * span // max(1, high.time_ns - low.time_ns)
    return low.height + min(max(step, 1), span - 1)
