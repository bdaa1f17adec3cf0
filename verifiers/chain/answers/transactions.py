"""Transactions: looked up, searched for, broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, JsonValue

from tasks.moment import Moment, parse_moment
from verifiers.chain.answers.blocks import Raw
from verifiers.chain.answers.border import Decoder
from verifiers.chain.answers.events import Event, TxResult
from verifiers.chain.answers.numbers import Coin, Whole
from verifiers.chain.apiset import CURRENT, ApiSet


def _time(text: object) -> Moment | None:
    return parse_moment(text) if isinstance(text, str) and text else None


@dataclass(frozen=True, slots=True)
class TxResponse:
    """What became of a transaction. Right after a broadcast the height is 0, and code 0 is no payment yet.

    `code` belongs to `codespace`. `timestamp` is `None` in an answer to a broadcast.
    """

    txhash: str
    height: Whole
    code: int
    codespace: str = ""
    raw_log: str = ""
    gas_wanted: Whole = 0
    gas_used: Whole = 0
    timestamp: Annotated[Moment | None, BeforeValidator(_time)] = None
    events: tuple[Event, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether it stands in a block and did what it says."""
        return self.code == 0 and self.height > 0


@dataclass(frozen=True, slots=True)
class TxBody:
    """Messages as JSON objects with `@type`; `memo` is what its signer wrote."""

    messages: tuple[dict[str, JsonValue], ...]
    memo: str = ""
    timeout_height: Whole = 0


@dataclass(frozen=True, slots=True)
class Fee:
    """What was paid for the transaction itself."""

    amount: tuple[Coin, ...] = ()
    gas_limit: Whole = 0


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """A signer's key as JSON (`None` where the chain knew it already) and sequence."""

    public_key: dict[str, JsonValue] | None
    sequence: Whole


@dataclass(frozen=True, slots=True)
class AuthInfo:
    """Signers and fee."""

    signer_infos: tuple[SignerInfo, ...]
    fee: Fee


@dataclass(frozen=True, slots=True)
class Tx:
    """A decoded transaction; signatures are base64."""

    body: TxBody
    auth_info: AuthInfo
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """REST `/cosmos/tx/v1beta1/txs/{hash}`."""

    tx: Tx
    tx_response: TxResponse


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """REST `txs?query=`; `total` counts all hits. Its pages are numbered, there is no key."""

    tx_responses: tuple[TxResponse, ...]
    txs: tuple[Tx, ...]
    total: Whole = 0


@dataclass(frozen=True, slots=True)
class TxOutcome:
    """A `TxResponse` without its events, which are hundreds in a payout: for readers who would throw them away."""

    txhash: str
    height: Whole
    code: int
    codespace: str = ""
    raw_log: str = ""
    timestamp: Annotated[Moment | None, BeforeValidator(_time)] = None


@dataclass(frozen=True, slots=True)
class PlainTransaction:
    """A `Transaction` without events."""

    tx: Tx
    tx_response: TxOutcome


@dataclass(frozen=True, slots=True)
class PlainTransactionPage:
    """A `TransactionPage` without events."""

    tx_responses: tuple[TxOutcome, ...]
    txs: tuple[Tx, ...]
    total: Whole = 0


@dataclass(frozen=True, slots=True)
class BlockTransactions:
    """REST `txs/block/{height}`."""

    txs: tuple[Tx, ...]


@dataclass(frozen=True, slots=True)
class IndexedTx:
    """A transaction as the RPC index keeps it; `tx` is its bytes."""

    hash: str
    height: Whole
    index: int
    tx_result: TxResult
    tx: Raw


@dataclass(frozen=True, slots=True)
class IndexedTxs:
    """RPC `tx_search`; `total_count` counts all hits."""

    txs: tuple[IndexedTx, ...]
    total_count: Whole


@dataclass(frozen=True, slots=True)
class _Broadcast:
    tx_response: TxResponse


@dataclass(frozen=True, slots=True)
class _DecodedTx:
    tx: Tx


@dataclass(frozen=True, slots=True)
class _RpcTx:
    result: IndexedTx


@dataclass(frozen=True, slots=True)
class _RpcTxs:
    result: IndexedTxs


_broadcast: Decoder[_Broadcast] = Decoder(_Broadcast, "broadcast answer")
_decoded: Decoder[_DecodedTx] = Decoder(_DecodedTx, "decoded transaction")
_rpc_tx: Decoder[_RpcTx] = Decoder(_RpcTx, "transaction")
_rpc_txs: Decoder[_RpcTxs] = Decoder(_RpcTxs, "list of transactions")

decode_tx: Decoder[Transaction] = Decoder(Transaction, "transaction")
decode_txs: Decoder[TransactionPage] = Decoder(TransactionPage, "list of transactions")
decode_plain_tx: Decoder[PlainTransaction] = Decoder(PlainTransaction, "transaction")
decode_plain_txs: Decoder[PlainTransactionPage] = Decoder(PlainTransactionPage, "list of transactions")
decode_block_txs: Decoder[BlockTransactions] = Decoder(BlockTransactions, "block's transactions")


def decode_broadcast(body: bytes, api: ApiSet = CURRENT) -> TxResponse:
    """The answer to a broadcast: 200 also when refused, so look at `code`; 0 means only "taken into the mempool"."""
    return _broadcast(body, api).tx_response


def decode_decoded_tx(body: bytes, api: ApiSet = CURRENT) -> Tx:
    """REST `/cosmos/tx/v1beta1/decode`."""
    return _decoded(body, api).tx


def decode_rpc_tx(body: bytes, api: ApiSet = CURRENT) -> IndexedTx:
    """RPC `tx`."""
    return _rpc_tx(body, api).result


def decode_rpc_txs(body: bytes, api: ApiSet = CURRENT) -> IndexedTxs:
    """RPC `tx_search`."""
    return _rpc_txs(body, api).result
