"""What happened in a block: transaction results in order, and Akash's typed events in them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from verifiers.chain.answers.border import Decoder
from verifiers.chain.answers.deployments import hex_of_base64
from verifiers.chain.answers.numbers import DecCoin, Whole, parse_atto
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.trouble import Undecodable

_TYPED = re.compile(r"akash\.(?:deployment|market|provider|audit)\.v[0-9a-z]+\.Event([A-Za-z]+)")
_FLAT = "akash.v1"


@dataclass(frozen=True, slots=True)
class EventAttribute:
    """One attribute; of a typed event the value is JSON text."""

    key: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event as the node keeps it. Events are not proved by the block: a witness, never the only one."""

    type: str
    attributes: tuple[EventAttribute, ...] = ()


@dataclass(frozen=True, slots=True)
class TxResult:
    """What became of one transaction; `code` 0 is success. A failed one keeps only its fee events."""

    code: int
    codespace: str = ""
    log: str = ""
    gas_wanted: Whole = 0
    gas_used: Whole = 0
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockResults:
    """A block's transaction results in order, then its own events (begin and end of block)."""

    height: int
    txs: tuple[TxResult, ...]
    block_events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class ObjectId:
    """Names what an event speaks of, as deep as it goes."""

    owner: str
    dseq: int
    gseq: int | None = None
    oseq: int | None = None
    provider: str | None = None
    bseq: int | None = None


@dataclass(frozen=True, slots=True)
class AkashEvent:
    """One event of Akash's modules. `name` is the type's last word without `Event`: `LeaseCreated`.

    `id` for deployments, groups, orders, bids and leases; `owner` for providers and audits; `hash` in hex;
    `deadline` in unix seconds.
    """

    height: int
    tx_index: int
    event_index: int
    name: str
    type: str
    id: ObjectId | None = None
    owner: str | None = None
    auditor: str | None = None
    hash: str | None = None
    price: DecCoin | None = None
    reason: str | None = None
    deadline: int | None = None


@dataclass(frozen=True, slots=True)
class _Results:
    height: Whole
    txs_results: tuple[TxResult, ...] | None = None
    finalize_block_events: tuple[Event, ...] | None = None
    begin_block_events: tuple[Event, ...] | None = None
    end_block_events: tuple[Event, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    result: _Results


_results: Decoder[_Answer] = Decoder(_Answer, "block's results")


def decode_block_results(body: bytes, api: ApiSet = CURRENT) -> BlockResults:
    """RPC `block_results`, of CometBFT 0.38 (plain attributes), 0.37, or 0.34 (base64 attributes)."""
    read = _results(body, api).result
    txs = read.txs_results or ()
    block_events = (
        *(read.begin_block_events or ()),
        *(read.finalize_block_events or ()),
        *(read.end_block_events or ()),
    )
    if read.finalize_block_events is None:
        every = [event for tx in txs for event in tx.events] + list(block_events)
        if _is_packed(every):
            return BlockResults(read.height, tuple(map(_unpack_tx, txs)), tuple(map(_unpack, block_events)))
    return BlockResults(read.height, txs, block_events)


def _is_packed(events: list[Event]) -> bool:
    """Whether every key is base64 of printable text: no single key proves it, `dseq` is valid base64 too."""
    keys = [attribute.key for event in events for attribute in event.attributes]
    return bool(keys) and all((_unpacked(key) or "\0").isprintable() for key in keys)


def _unpacked(text: str | None) -> str | None:
    try:
        return base64.b64decode(text or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _unpack(event: Event) -> Event:
    return Event(
        event.type,
        tuple(EventAttribute(_unpacked(entry.key) or "", _unpacked(entry.value)) for entry in event.attributes),
    )


def _unpack_tx(tx: TxResult) -> TxResult:
    return TxResult(tx.code, tx.codespace, tx.log, tx.gas_wanted, tx.gas_used, tuple(map(_unpack, tx.events)))


def akash_events(results: BlockResults) -> tuple[AkashEvent, ...]:
    """The Akash events of a block's successful transactions, in order. Raises Undecodable."""
    return tuple(
        event
        for index, tx in enumerate(results.txs)
        if tx.code == 0
        for event in akash_events_of(results.height, index, tx)
    )


def akash_events_of(height: int, tx_index: int, tx: TxResult) -> Iterator[AkashEvent]:
    """The Akash events of one transaction, in order. Raises Undecodable."""
    for index, event in enumerate(tx.events):
        if event.type == _FLAT:
            yield _flat(height, tx_index, index, event)
            continue
        match = _TYPED.fullmatch(event.type)
        if match is None:
            continue
        try:
            yield _typed(height, tx_index, index, match[1], event)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Undecodable(f"Event {index} ({event.type}) at height {height} can't be read: {error}") from None


def _typed(height: int, tx_index: int, index: int, name: str, event: Event) -> AkashEvent:
    texts = {entry.key: entry.value for entry in event.attributes}
    fields = {key: json.loads(texts[key] or "null") for key in _FIELDS if key in texts}
    price, deadline, packed = fields.get("price"), fields.get("deadline"), fields.get("hash")
    return AkashEvent(
        height=height,
        tx_index=tx_index,
        event_index=index,
        name=name,
        type=event.type,
        id=_object_id(fields["id"]) if "id" in fields else None,
        owner=fields.get("owner"),
        auditor=fields.get("auditor"),
        hash=hex_of_base64(packed) if packed else None,
        price=DecCoin(str(price["denom"]), parse_atto(price["amount"])) if price else None,
        reason=fields.get("reason"),
        deadline=int(deadline) if deadline else None,
    )


_FIELDS = ("id", "owner", "auditor", "hash", "price", "reason", "deadline")


def _object_id(fields: Mapping[str, object]) -> ObjectId:
    def number(key: str) -> int | None:
        return int(str(fields[key])) if key in fields else None

    provider = fields.get("provider")
    return ObjectId(
        owner=str(fields["owner"]),
        dseq=int(str(fields["dseq"])),
        gseq=number("gseq"),
        oseq=number("oseq"),
        provider=str(provider) if provider else None,
        bseq=number("bseq"),
    )


def _flat(height: int, tx_index: int, index: int, event: Event) -> AkashEvent:
    """The one event type of the 2023 chains: module, action and ids side by side, the hash in hex."""
    fields = {entry.key: entry.value or "" for entry in event.attributes}
    name = "".join(word.capitalize() for word in fields.get("action", "").split("-"))
    amount, denom = fields.get("price-amount"), fields.get("price-denom")
    try:
        return AkashEvent(
            height=height,
            tx_index=tx_index,
            event_index=index,
            name=name,
            type=event.type,
            id=_object_id(fields) if "dseq" in fields else None,
            owner=fields.get("owner"),
            auditor=fields.get("auditor"),
            hash=fields.get("version"),
            price=DecCoin(denom, parse_atto(amount)) if amount and denom else None,
        )
    except (ValueError, KeyError) as error:
        raise Undecodable(f"Event {index} ({event.type}) at height {height} can't be read: {error}") from None
