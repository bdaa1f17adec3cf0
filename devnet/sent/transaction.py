"""A transaction that somebody sent, as values; read from the bytes that were sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from devnet import wire
from devnet.addresses import BadAddressError, account_bytes
from devnet.keys import bech32
from devnet.public_keys import MULTISIG, SINGLE, MultisigKey, PublicKey, SingleKey
from devnet.sent.protobuf import Message, ReadingError, check_outermost, read_text

SEND = "/cosmos.bank.v1beta1.MsgSend"
MULTI_SEND = "/cosmos.bank.v1beta1.MsgMultiSend"
AMINO_NAMES = {SEND: "cosmos-sdk/MsgSend", MULTI_SEND: "cosmos-sdk/MsgMultiSend"}
DIRECT, AMINO_JSON = 1, 127
MODE_NAMES = {0: "SIGN_MODE_UNSPECIFIED", DIRECT: "SIGN_MODE_DIRECT", AMINO_JSON: "SIGN_MODE_LEGACY_AMINO_JSON"}
_TX = "cosmos.tx.v1beta1"
_DEEPEST = 8
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999, the last that a timestamp may hold."""

_NUMBER = re.compile(r"-?[0-9]{1,78}")


@dataclass(frozen=True)
class Single:
    """One key signed in this mode."""

    mode: int


@dataclass(frozen=True)
class Multi:
    """Members of a multisig signed: which, as the SDK packs bits, and the mode of each."""

    extra_bits: int
    elements: bytes
    modes: tuple[Single | Multi, ...]

    def marked(self) -> tuple[int, ...]:
        """The places of those who signed."""
        bits = self.size()
        return tuple(place for place in range(bits) if self.elements[place // 8] >> (7 - place % 8) & 1)

    def size(self) -> int:
        """How many members the bits are for; none where they are no bits at all."""
        if not self.elements or self.extra_bits not in range(8):
            return 0
        return len(self.elements) * 8 - (8 - self.extra_bits if self.extra_bits else 0)


@dataclass(frozen=True)
class SignerInfo:
    """One signer; `key` None: the chain is to know it."""

    key: PublicKey | None
    mode: Single | Multi
    sequence: int


@dataclass(frozen=True)
class SentFee:
    """The fee: coins (denom, amount as text), the gas limit, and who else pays."""

    coins: tuple[tuple[str, str], ...]
    gas_limit: int
    payer: str
    granter: str

    @property
    def shown(self) -> str:
        """The coins as a node writes them."""
        return ",".join(f"{amount}{denom}" for denom, amount in self.coins)


@dataclass(frozen=True)
class SentTransaction:
    """What was sent. `messages` in the gateway's JSON; `timeout_ns`: the time after which it is void."""

    raw: bytes
    body_bytes: bytes
    auth_bytes: bytes
    messages: tuple[dict[str, Any], ...]
    memo: str
    timeout_height: int
    is_unordered: bool
    timeout_ns: int | None
    has_extensions: bool
    signers: tuple[SignerInfo, ...]
    fee: SentFee
    signatures: tuple[bytes, ...]

    @property
    def hash(self) -> bytes:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.raw).digest()

    @property
    def senders(self) -> tuple[str, ...]:
        """Who has to sign: the senders of the messages, each once, then who else pays the fee."""
        named = [address for message in self.messages for address in senders_of(message)]
        return tuple(dict.fromkeys(normal(address) for address in (*named, *filter(None, (self.fee.payer,)))))

    @property
    def fee_payer(self) -> str:
        """Who pays the fee."""
        return normal(self.fee.payer) if self.fee.payer else self.senders[0]


@lru_cache(maxsize=20_000)  # a batch names each recipient four times, and bech32 takes its time
def normal(address: str) -> str:
    """An address as the chain writes it. Raises BadAddressError."""
    return bech32("akash", account_bytes(address))


def senders_of(message: Mapping[str, Any]) -> list[str]:
    """Whose money a message moves."""
    if message["@type"] == SEND:
        return [message["from_address"]]
    return [side["address"] for side in message["inputs"]]


def read_transaction(raw: bytes) -> SentTransaction:
    """A TxRaw of bank transfers. Raises ReadingError with the node's words."""
    check_outermost(raw)
    outer = Message(f"{_TX}.TxRaw", raw, {1, 2, 3})
    body = Message(f"{_TX}.TxBody", outer.octets(1), {1, 2, 3, 4, 5, 1023, 2047}, lenient=True)
    auth = Message(f"{_TX}.AuthInfo", outer.octets(2), {1, 2, 3})
    made = SentTransaction(
        raw=raw,
        body_bytes=outer.octets(1),
        auth_bytes=outer.octets(2),
        messages=tuple(_message(each) for each in body.every(1)),
        memo=body.text(2),
        timeout_height=body.number(3),
        is_unordered=bool(body.number(4)),
        timeout_ns=_moment(body.octets(5)) if body.has(5) else None,
        has_extensions=body.has(1023),
        signers=tuple(_signer(each) for each in auth.every(1)),
        fee=_fee(auth.octets(2)),
        signatures=tuple(outer.every(3)),
    )
    try:
        _ = made.senders
    except BadAddressError as error:
        raise ReadingError(str(error)) from None
    return made


def timeout_text(moment: int) -> str:
    """A time in nanoseconds as the gateway writes it."""
    whole, rest = divmod(moment, 10**9)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}{f'.{rest:09d}'.rstrip('0') if rest else ''}Z"


def _moment(data: bytes) -> int:
    read = Message("google.protobuf.Timestamp", data, {1, 2})
    seconds, nanos = read.number(1), read.number(2)
    if seconds > _LAST_SECOND or nanos >= 10**9:
        raise ReadingError(f"timestamp: seconds:{seconds} nanos:{nanos} after 10000-01-01")
    return seconds * 10**9 + nanos


def _message(data: bytes) -> dict[str, Any]:
    packed = Message("google.protobuf.Any", data, {1, 2})
    kind = packed.text(1)
    if kind not in AMINO_NAMES:
        raise ReadingError(f"unable to resolve type URL {kind}")
    return {"@type": kind, **_values(kind, packed.octets(2))}


def _values(kind: str, data: bytes) -> dict[str, Any]:
    """The JSON of a message by the table that writes it."""
    table = wire.MESSAGES[kind]
    read = Message(kind.lstrip("/"), data, {number for number, _, _ in table})
    found: dict[str, Any] = {}
    for number, name, of in table:
        if of == "text":
            found[name] = read.text(number)
        elif of == "*text":
            found[name] = [read_text(each) for each in read.every(number)]
        elif of.startswith("*"):
            found[name] = [_values(of[1:], each) for each in read.every(number)]
        else:
            found[name] = _values(of, read.octets(number))
    if kind == "Coin":
        found["amount"] = _amount(found["amount"])
    return found


def _amount(text: str) -> str:
    """An amount as the chain keeps it: a whole number of at most 256 bits, 0 where it is missing."""
    if text and not _NUMBER.fullmatch(text):
        raise ReadingError(f'math/big: cannot unmarshal "{text}" into a *big.Int')
    return text or "0"


def _fee(data: bytes) -> SentFee:
    read = Message(f"{_TX}.Fee", data, {1, 2, 3, 4})
    coins = [_values("Coin", each) for each in read.every(1)]
    return SentFee(
        tuple((each["denom"], each["amount"]) for each in coins), read.number(2), read.text(3), read.text(4)
    )


def _signer(data: bytes) -> SignerInfo:
    read = Message(f"{_TX}.SignerInfo", data, {1, 2, 3})
    return SignerInfo(_key(read.octets(1)) if read.has(1) else None, _mode(read.octets(2)), read.number(3))


def _mode(data: bytes, depth: int = 0) -> Single | Multi:
    if depth > _DEEPEST:
        raise ReadingError("proto:\u00a0exceeded maximum recursion depth")
    read = Message(f"{_TX}.ModeInfo", data, {1, 2})
    if not read.has(2):
        return Single(Message(f"{_TX}.ModeInfo.Single", read.octets(1), {1}).number(1))
    multi = Message(f"{_TX}.ModeInfo.Multi", read.octets(2), {1, 2})
    bits = Message("cosmos.crypto.multisig.v1beta1.CompactBitArray", multi.octets(1), {1, 2})
    return Multi(bits.number(1), bits.octets(2), tuple(_mode(each, depth + 1) for each in multi.every(2)))


def _key(data: bytes) -> PublicKey:
    packed = Message("google.protobuf.Any", data, {1, 2})
    kind = packed.text(1)
    if kind == SINGLE:
        return SingleKey(Message("cosmos.crypto.secp256k1.PubKey", packed.octets(2), {1}).octets(1))
    if kind != MULTISIG:
        raise ReadingError(f"unable to resolve type URL {kind}")
    read = Message("cosmos.crypto.multisig.LegacyAminoPubKey", packed.octets(2), {1, 2})
    return MultisigKey(read.number(1), tuple(_member(each) for each in read.every(2)))


def _member(data: bytes) -> SingleKey:
    """A member's key; a multisig inside a multisig is not taken here."""
    packed = Message("google.protobuf.Any", data, {1, 2})
    if packed.text(1) != SINGLE:
        raise ReadingError(f"unable to resolve type URL {packed.text(1)}")
    return SingleKey(Message("cosmos.crypto.secp256k1.PubKey", packed.octets(2), {1}).octets(1))
