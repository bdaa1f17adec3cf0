"""A transaction as a chain shows it: read from REST, from RPC, or from a block's bytes and its results."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tasks.moment import Moment
from verifiers.chain.answers import (
    Block,
    BlockResults,
    decode_rpc_tx,
    decode_rpc_txs,
    tx_hash,
)
from verifiers.chain.answers.transactions import IndexedTx, Tx, TxOutcome, decode_plain_tx, decode_plain_txs
from verifiers.payout import wire
from verifiers.payout.transfers import (
    Message,
    Transfer,
    message_from_any,
    message_from_json,
    payers_of,
    transfers_of,
)
from verifiers.trouble import Undecodable


@dataclass(frozen=True, slots=True)
class Seen:
    """A transaction in a block. `code` is the block's (0: done); `time` is None where the answer has none.

    `other_messages` counts messages that are no bank transfers. `sequence` is its first signer's.
    """

    hash: str
    height: int
    code: int
    codespace: str
    log: str
    time: Moment | None
    memo: str
    timeout_height: int
    sequence: int | None
    messages: tuple[Message, ...]
    other_messages: int = 0

    @property
    def payers(self) -> tuple[str, ...]:
        """Who pays in its transfers."""
        return payers_of(self.messages)

    @property
    def transfers(self) -> Counter[Transfer]:
        """What its body pays out: (address, denom, amount), each as often as it stands there."""
        return transfers_of(self.messages)


def seen_in_rest(body: bytes) -> Seen:
    """REST `/cosmos/tx/v1beta1/txs/{hash}`, the body of a 200. Raises Undecodable."""
    answer = decode_plain_tx(body)
    return _from_rest(answer.tx, answer.tx_response)


def seen_in_page(body: bytes) -> tuple[Seen, ...]:
    """REST `txs?query=`. Raises Undecodable."""
    return page_of(body)[0]


def page_of(body: bytes) -> tuple[tuple[Seen, ...], int]:
    """The same, and how many transactions the query finds on all pages."""
    page = decode_plain_txs(body)
    if len(page.txs) != len(page.tx_responses):
        raise Undecodable("the list of transactions and that of their results differ in length; ask again")
    found = zip(page.txs, page.tx_responses, strict=True)
    return tuple(_from_rest(tx, response) for tx, response in found), page.total


def seen_in_rpc(body: bytes) -> Seen:
    """RPC `tx`. Raises Undecodable."""
    return _from_index(decode_rpc_tx(body))


def seen_in_rpc_page(body: bytes) -> tuple[Seen, ...]:
    """RPC `tx_search`. Raises Undecodable."""
    return tuple(_from_index(each) for each in decode_rpc_txs(body).txs)


def seen_in_block(block: Block, results: BlockResults) -> tuple[Seen, ...]:
    """A block's transactions with what became of them; those that failed and can't be read are left out.

    Raises Undecodable where block and results do not belong together, or for a successful one that can't be read.
    """
    if block.height != results.height or len(block.txs) != len(results.txs):
        raise Undecodable(f"block {block.height} and its results do not belong together; ask both again")
    found: list[Seen] = []
    for raw, result in zip(block.txs, results.txs, strict=True):
        try:
            found.append(_from_bytes(raw, block.height, result.code, result.codespace, result.log, block.time))
        except Undecodable:
            if result.code == 0:
                raise
    return tuple(found)


def _from_rest(tx: Tx, response: TxOutcome) -> Seen:
    messages = [message_from_json(message) for message in tx.body.messages]
    known = tuple(message for message in messages if message is not None)
    signers = tx.auth_info.signer_infos
    return Seen(
        hash=response.txhash.upper(),
        height=response.height,
        code=response.code,
        codespace=response.codespace,
        log=response.raw_log,
        time=response.timestamp,
        memo=tx.body.memo,
        timeout_height=tx.body.timeout_height,
        sequence=signers[0].sequence if signers else None,
        messages=known,
        other_messages=len(messages) - len(known),
    )


def _from_index(found: IndexedTx) -> Seen:
    result = found.tx_result
    seen = _from_bytes(found.tx, found.height, result.code, result.codespace, result.log, None)
    if seen.hash != found.hash.upper():
        raise Undecodable(f"the node gave other bytes for the transaction {found.hash}; ask another node")
    return seen


def _from_bytes(raw: bytes, height: int, code: int, codespace: str, log: str, time: Moment | None) -> Seen:
    try:
        outer = wire.Fields(raw)
        body, auth = wire.Fields(outer.octets(1)), wire.Fields(outer.octets(2))
        messages = [message_from_any(each) for each in body.all(1)]
        signers = [wire.Fields(each) for each in auth.all(1)]
        known = tuple(message for message in messages if message is not None)
        return Seen(
            hash=tx_hash(raw),
            height=height,
            code=code,
            codespace=codespace,
            log=log,
            time=time,
            memo=body.text(2),
            timeout_height=body.number(3),
            sequence=signers[0].number(3) if signers else None,
            messages=known,
            other_messages=len(messages) - len(known),
        )
    except wire.WireError as error:
        raise Undecodable(f"a transaction of block {height} can't be read ({error}); ask another node") from error
