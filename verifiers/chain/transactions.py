"""Finding transactions: by hash, by who sent them, by reading blocks; and handing one to the chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from verifiers.chain.answers import (
    TxResponse,
    decode_block,
    decode_block_results,
    decode_broadcast,
    decode_rpc_txs,
)
from verifiers.chain.client import Chain
from verifiers.chain.questions import TXS
from verifiers.chain.trouble import BadRequest, NotImplementedThere, NotIndexed, Pruned
from verifiers.evidence import Observation
from verifiers.payout.seen import Seen, page_of, seen_in_block, seen_in_rest, seen_in_rpc, seen_in_rpc_page
from verifiers.trouble import TooLarge, Undecodable
from verifiers.wallet.memo import is_transaction_hash

PAGE = 10
"""Transactions of a page: one of 200 outputs takes some 150 kB with its events."""

MOST_PAGES = 500
MOST_BYTES = 700_000
"""Nodes refuse a request body above 1,000,000 bytes, and base64 makes four of three (akash-recorded/README.md 20)."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A transaction in a block, with the raw answers that show it."""

    seen: Seen
    observations: tuple[Observation, ...]


def broadcast(chain: Chain, tx: bytes) -> tuple[TxResponse, Observation]:
    """Hand signed bytes to the chain. The answer proves no payment, whatever its code. Raises Trouble.

    Twice is harmless: the second answer has code 19 of codespace `sdk`, or 32 once the first is in a block.
    """
    if len(tx) > MOST_BYTES:
        raise TooLarge(f"The transaction has {len(tx)} bytes, more than a node takes ({MOST_BYTES}).")
    seen = chain.broadcast(tx)
    return decode_broadcast(seen.body, chain.api), seen


def by_hash(chain: Chain, tx_hash: str) -> Sighting | None:
    """The transaction of a hash, None where a node with an index says that it knows none. Raises Trouble.

    A node that forgot the block still knows the transaction by RPC, then without its block's time. A node that
    keeps no index (IndexOff) or forgot the block (Pruned) never means "none".
    """
    name = tx_hash.upper()
    if not is_transaction_hash(name):
        raise BadRequest(f"{tx_hash[:80]!r} is no transaction hash: it has 64 hex digits.")
    try:
        answer = chain.get(f"{TXS}/{name}")
    except Pruned as pruned:
        return _by_hash_from_index(chain, name, pruned)
    if answer.status == 404:
        return None
    seen = seen_in_rest(answer.body)
    if seen.hash != name:
        raise Undecodable(f"{answer.host} was asked for {name} and showed {seen.hash}. Ask another host.")
    return Sighting(seen, (answer,))


def _by_hash_from_index(chain: Chain, name: str, pruned: Pruned) -> Sighting:
    try:
        answer = chain.rpc("tx", {"hash": f"0x{name}"})
    except (NotIndexed, NotImplementedThere):
        raise pruned from None
    seen = seen_in_rpc(answer.body)
    if seen.hash != name:
        raise Undecodable(f"{answer.host} was asked for {name} and showed {seen.hash}. Ask another host.")
    return Sighting(seen, (answer,))


def sent_by(chain: Chain, sender: str, limit: int = PAGE) -> Iterator[tuple[Sighting, ...]]:
    """The transactions of a sender, page by page, the newest first; failed ones too. Raises Trouble, IndexOff.

    Asks REST (`query=`, on chains before SDK 0.50 `events=`); where a block of the page is pruned, RPC's index,
    whose transactions come without a time. What comes in meanwhile shifts pages: a transaction may come twice, none
    is left out.
    """
    word, by_rpc = "query", False
    for number in range(1, MOST_PAGES + 1):
        try:
            if by_rpc:
                page, total = _page_from_index(chain, sender, number, limit)
            else:
                page, total = _page(chain, sender, number, limit, word)
        except BadRequest as refused:
            if by_rpc or word == "events" or "event" not in str(refused):
                raise
            word = "events"
            page, total = _page(chain, sender, number, limit, word)
        except (Pruned, NotImplementedThere):
            if by_rpc:
                raise
            by_rpc = True
            page, total = _page_from_index(chain, sender, number, limit)
        yield page
        if len(page) < limit or 0 < total <= number * limit:
            return
    raise TooLarge(f"{sender} has sent more than {MOST_PAGES * limit} transactions since then.")


def _page(chain: Chain, sender: str, number: int, limit: int, word: str) -> tuple[tuple[Sighting, ...], int]:
    question = {
        word: f"message.sender='{sender}'",
        "order_by": "ORDER_BY_DESC",
        "page": str(number),
        "limit": str(limit),
    }
    answer = chain.get(TXS, question)
    if answer.status != 200:
        raise NotImplementedThere(f"{answer.host} has no list of transactions. Ask another host.")
    found, total = page_of(answer.body)
    return tuple(Sighting(seen, (answer,)) for seen in found), total


def _page_from_index(chain: Chain, sender: str, number: int, limit: int) -> tuple[tuple[Sighting, ...], int]:
    question = {
        "query": f"\"message.sender='{sender}'\"",
        "order_by": '"desc"',
        "page": str(number),
        "per_page": str(limit),
    }
    answer = chain.rpc("tx_search", question)
    found = tuple(Sighting(seen, (answer,)) for seen in seen_in_rpc_page(answer.body))
    return found, decode_rpc_txs(answer.body, chain.api).total_count


def in_block(chain: Chain, height: int) -> tuple[Sighting, ...]:
    """Every transaction of a block that can be read, with what became of it. Raises Trouble (Pruned, Lagging)."""
    block_answer = chain.block(height)
    block = decode_block(block_answer.body, chain.api)
    if not block.txs:
        return ()
    results_answer = chain.block_results(height)
    found = seen_in_block(block, decode_block_results(results_answer.body, chain.api))
    return tuple(Sighting(seen, (block_answer, results_answer)) for seen in found)


def with_time(chain: Chain, sighting: Sighting) -> Sighting:
    """The same with its block's time, where the node still has the block. Raises Trouble (Pruned)."""
    if sighting.seen.time is not None:
        return sighting
    answer = chain.block(sighting.seen.height)
    time = decode_block(answer.body, chain.api).time
    return Sighting(replace(sighting.seen, time=time), (*sighting.observations, answer))
