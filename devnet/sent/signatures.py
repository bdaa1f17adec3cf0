"""What keys sign, and whether they did: SIGN_MODE_DIRECT and SIGN_MODE_LEGACY_AMINO_JSON, one key or k of n."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from devnet import wire
from devnet.keys import ORDER
from devnet.public_keys import MultisigKey, PublicKey, SingleKey
from devnet.sent.protobuf import Message, ReadingError
from devnet.sent.transaction import AMINO_JSON, AMINO_NAMES, DIRECT, Multi, SentTransaction, SignerInfo, Single

_ESCAPES = str.maketrans({letter: f"\\u{ord(letter):04x}" for letter in "&<>\u2028\u2029"})
_EMPTY_TOO = frozenset({"amount", "coins"})
"""Lists that amino-json writes also where they are empty (`amino.dont_omitempty`)."""


@dataclass(frozen=True, slots=True)
class SignerData:
    """Where a signature is to count: chain, account and sequence."""

    chain_id: str
    account_number: int
    sequence: int


def amino_bytes(document: Mapping[str, Any], where: SignerData) -> bytes:
    """The bytes that a key signs in amino-json. `document`: messages (gateway JSON), memo, timeout_height, fee.

    Keys sorted, no spaces, `& < >` escaped, timeout_height 0 left out (cosmos-sdk legacytx.StdSignDoc).
    """
    signed: dict[str, Any] = {
        "account_number": str(where.account_number),
        "chain_id": where.chain_id,
        "fee": document["fee"],
        "memo": document["memo"],
        "msgs": [_amino_message(message) for message in document["messages"]],
        "sequence": str(where.sequence),
    }
    if int(document["timeout_height"]):
        signed["timeout_height"] = str(document["timeout_height"])
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPES).encode()


def direct_bytes(body: bytes, auth_info: bytes, where: SignerData) -> bytes:
    """The SignDoc that a key signs in the direct mode."""
    out = (wire.octets(1, body) if body else b"") + (wire.octets(2, auth_info) if auth_info else b"")
    return out + wire.octets(3, where.chain_id.encode()) + wire.number_field(4, where.account_number)


def document_of(sent: SentTransaction) -> dict[str, Any]:
    """What amino-json signs of a transaction."""
    fee: dict[str, Any] = {
        "amount": [{"denom": denom, "amount": amount} for denom, amount in sent.fee.coins],
        "gas": str(sent.fee.gas_limit),
    }
    fee |= {name: who for name, who in (("payer", sent.fee.payer), ("granter", sent.fee.granter)) if who}
    return {"messages": sent.messages, "memo": sent.memo, "timeout_height": sent.timeout_height, "fee": fee}


def is_signed(sent: SentTransaction, signer: SignerInfo, signature: bytes, key: PublicKey, where: SignerData) -> bool:
    """Whether a signature is the key's over this transaction for this chain, account and sequence."""
    if isinstance(key, SingleKey):
        return isinstance(signer.mode, Single) and _holds(sent, signer.mode, signature, key, where)
    return isinstance(signer.mode, Multi) and _is_multisigned(sent, signer.mode, signature, key, where)


def is_signature(data: bytes, signature: bytes, key: bytes) -> bool:
    """Whether 64 bytes r, s with low s are a secp256k1 key's signature over SHA-256 of the data."""
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if len(signature) != 64 or not 0 < r < ORDER or not 0 < s <= ORDER // 2:
        return False
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key)
        public.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def members_signatures(signature: bytes) -> tuple[bytes, ...]:
    """The signatures inside a multisig's. Raises ReadingError."""
    return tuple(Message("cosmos.crypto.multisig.v1beta1.MultiSignature", signature, {1}).every(1))


def _holds(sent: SentTransaction, mode: Single, signature: bytes, key: SingleKey, where: SignerData) -> bool:
    if mode.mode == DIRECT:
        data = direct_bytes(sent.body_bytes, sent.auth_bytes, where)
    elif mode.mode == AMINO_JSON:
        data = amino_bytes(document_of(sent), where)
    else:
        return False
    return is_signature(data, signature, key.value)


def _is_multisigned(
    sent: SentTransaction, mode: Multi, signature: bytes, key: MultisigKey, where: SignerData
) -> bool:
    """Members sign in amino-json, since the signers are part of what the direct mode signs."""
    try:
        signatures = members_signatures(signature)
    except ReadingError:
        return False
    marked = mode.marked()
    if mode.size() != key.members or len(marked) != len(signatures) or len(marked) < max(key.threshold, 1):
        return False
    if len(mode.modes) != len(marked) or any(each != Single(AMINO_JSON) for each in mode.modes):
        return False
    data = amino_bytes(document_of(sent), where)
    return all(
        is_signature(data, each, key.keys[place].value) for place, each in zip(marked, signatures, strict=True)
    )


def _amino_message(message: Mapping[str, Any]) -> dict[str, Any]:
    value = {name: _amino(name, item) for name, item in message.items() if name != "@type"}
    kept = {name: item for name, item in value.items() if item or name in _EMPTY_TOO}
    return {"type": AMINO_NAMES[message["@type"]], "value": kept}


def _amino(name: str, value: Any) -> Any:
    if name in {"inputs", "outputs"}:
        return [_side(each) for each in value]
    return value


def _side(side: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in side.items() if item or name in _EMPTY_TOO}


def signature_parts(mode: Single | Multi, signature: bytes) -> Sequence[bytes]:
    """What the `signature` events of a signer name: each member's, then the whole."""
    if isinstance(mode, Single):
        return (signature,)
    try:
        return (*members_signatures(signature), signature)
    except ReadingError:
        return (signature,)
