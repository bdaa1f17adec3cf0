"""A signed transaction as values: read from the command line's JSON, from base64, or from its bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from tasks.payout.batches import DENOM
from verifiers.payout import wire
from verifiers.payout.export import body_bytes, fee_bytes
from verifiers.payout.transfers import Coin, Message, coin_from, message_from_any
from verifiers.wallet.multisig import MultisigKey, members_marked

KEY = "/cosmos.crypto.secp256k1.PubKey"
MULTISIG_KEY = "/cosmos.crypto.multisig.LegacyAminoPubKey"


class Mode(IntEnum):
    """How a key signed (cosmos-sdk `signing.SignMode`)."""

    DIRECT = 1
    AMINO = 127


class SignedFileError(ValueError):
    """A file that is no signed transfer; the message says what it is or what to do."""


@dataclass(frozen=True, slots=True)
class BitArray:
    """Which members of a multisig signed, as the SDK packs it."""

    extra_bits: int
    elements: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """One signer: its key (None: the chain knows it), its modes (one per member that signed), its sequence.

    `bits` is None for a single key.
    """

    key: bytes | MultisigKey | None
    modes: tuple[int, ...]
    bits: BitArray | None
    sequence: int

    def marked(self, size: int) -> tuple[int, ...] | None:
        """The places of the members that signed; None where the array does not fit `size` members."""
        return None if self.bits is None else members_marked(self.bits.extra_bits, self.bits.elements, size)


@dataclass(frozen=True, slots=True)
class PaidFee:
    """The fee as the file says it."""

    amount: tuple[Coin, ...]
    gas_limit: int
    payer: str = ""
    granter: str = ""

    @property
    def uakt(self) -> int:
        """The fee in uakt, 0 where it names none."""
        return sum(coin.units or 0 for coin in self.amount if coin.denom == DENOM)


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """What a signed file says."""

    messages: tuple[Message, ...]
    memo: str
    timeout_height: int
    fee: PaidFee
    signers: tuple[Signer, ...]
    signatures: tuple[bytes, ...]

    @property
    def body_bytes(self) -> bytes:
        """The TxBody as protobuf."""
        return body_bytes(self.messages, self.memo, self.timeout_height)

    @property
    def auth_info_bytes(self) -> bytes:
        """The AuthInfo as protobuf."""
        fee = fee_bytes(self.fee.amount, self.fee.gas_limit, self.fee.payer, self.fee.granter)
        return b"".join(wire.message(1, _signer_bytes(signer)) for signer in self.signers) + wire.message(2, fee)

    @property
    def raw(self) -> bytes:
        """The TxRaw: what is broadcast."""
        signatures = b"".join(wire.message(3, signature) for signature in self.signatures)
        return wire.octets(1, self.body_bytes) + wire.octets(2, self.auth_info_bytes) + signatures

    @property
    def base64(self) -> str:
        """The TxRaw as `POST /cosmos/tx/v1beta1/txs` takes it."""
        return base64.b64encode(self.raw).decode()

    @property
    def hash(self) -> str:
        """The transaction's hash: SHA-256 of the TxRaw, upper-case hex."""
        return hashlib.sha256(self.raw).hexdigest().upper()

    def direct_bytes(self, chain_id: str, account_number: int) -> bytes:
        """What a single key signs in SIGN_MODE_DIRECT."""
        written = wire.octets(1, self.body_bytes) + wire.octets(2, self.auth_info_bytes)
        return written + wire.text(3, chain_id) + wire.varint(4, account_number)


def from_raw(raw: bytes) -> SignedTransaction:
    """Read a TxRaw of bank transfers. Raises SignedFileError for anything else.

    It must be written as the SDK writes it: other bytes for the same values would have another hash.
    """
    try:
        read = _read_raw(raw)
    except wire.WireError as error:
        raise SignedFileError(f"these bytes are no signed transaction ({error})") from error
    if read.raw != raw:
        raise SignedFileError("the transaction holds more than a payout does; sign the exported file as it is")
    return read


def _read_raw(raw: bytes) -> SignedTransaction:
    outer = wire.Fields(raw)
    outer.only(1, 2, 3)
    body, auth = wire.Fields(outer.octets(1)), wire.Fields(outer.octets(2))
    messages = tuple(message_from_any(each) for each in body.all(1))
    known = tuple(message for message in messages if message is not None)
    if not known or len(known) != len(messages):
        raise SignedFileError("the transaction holds other messages than bank transfers")
    return SignedTransaction(
        messages=known,
        memo=body.text(2),
        timeout_height=body.number(3),
        fee=_read_fee(auth.octets(2)),
        signers=tuple(_read_signer(each) for each in auth.all(1)),
        signatures=tuple(outer.all(3)),
    )


def _read_fee(data: bytes) -> PaidFee:
    fields = wire.Fields(data)
    amount = tuple(coin_from(each) for each in fields.all(1))
    return PaidFee(amount, fields.number(2), fields.text(3), fields.text(4))


def _read_signer(data: bytes) -> Signer:
    fields = wire.Fields(data)
    mode = wire.Fields(fields.octets(2))
    key = _read_key(fields.octets(1)) if fields.has(1) else None
    if not mode.has(2):
        return Signer(key, (_read_single(fields.octets(2)),), None, fields.number(3))
    multi = wire.Fields(mode.octets(2))
    bits = wire.Fields(multi.octets(1))
    modes = tuple(_read_single(each) for each in multi.all(2))
    return Signer(key, modes, BitArray(bits.number(1), bits.octets(2)), fields.number(3))


def _read_single(mode_info: bytes) -> int:
    return wire.Fields(wire.Fields(mode_info).octets(1)).number(1)


def _read_key(data: bytes) -> bytes | MultisigKey:
    fields = wire.Fields(data)
    kind, value = fields.text(1), wire.Fields(fields.octets(2))
    if kind == KEY:
        return value.octets(1)
    if kind != MULTISIG_KEY:
        raise SignedFileError(f"a key of type {kind or 'nothing'} can't sign a payout")
    members = [_read_key(each) for each in value.all(2)]
    return MultisigKey(value.number(1), _plain(members))


def _plain(members: Sequence[bytes | MultisigKey]) -> tuple[bytes, ...]:
    plain = tuple(member for member in members if isinstance(member, bytes))
    if len(plain) != len(members):
        raise SignedFileError("a multisig inside a multisig can't be checked here")
    return plain


def _key_any(key: bytes | MultisigKey) -> bytes:
    if isinstance(key, bytes):
        return wire.text(1, KEY) + wire.octets(2, wire.octets(1, key))
    members = b"".join(wire.message(2, _key_any(member)) for member in key.members)
    return wire.text(1, MULTISIG_KEY) + wire.octets(2, wire.varint(1, key.threshold) + members)


def _signer_bytes(signer: Signer) -> bytes:
    key = b"" if signer.key is None else wire.message(1, _key_any(signer.key))
    singles = [wire.message(1, wire.varint(1, mode)) for mode in signer.modes]
    if signer.bits is None:
        mode = singles[0]
    else:
        bits = wire.varint(1, signer.bits.extra_bits) + wire.octets(2, signer.bits.elements)
        mode = wire.message(2, wire.message(1, bits) + b"".join(wire.message(2, each) for each in singles))
    return key + wire.message(2, mode) + wire.varint(3, signer.sequence)
