"""Signs transactions as the `akash` command line does, with the made-up keys of a local network; JSON in, JSON out.

`tx sign`, `tx sign --multisig`, `tx multi-sign`: the files have the same form (recorded in akash-recorded/payout).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from devnet import wire
from devnet.keys import Key
from devnet.public_keys import MULTISIG, SINGLE, MultisigKey, PublicKey, SingleKey
from devnet.sent.signatures import SignerData, amino_bytes, direct_bytes, is_signature
from devnet.sent.transaction import AMINO_JSON, AMINO_NAMES, DIRECT, MODE_NAMES

Document = Mapping[str, Any]


class SigningError(ValueError):
    """Something that cannot be signed or joined; the message says why."""


def sign_single(document: Document, key: Key, where: SignerData, mode: int = DIRECT) -> dict[str, Any]:
    """The whole transaction, signed by one key. `document`: the unsigned one. Raises SigningError."""
    body, fee = _body_and_fee(document)
    public = SingleKey(key.public_key)
    if mode == AMINO_JSON:
        data = amino_bytes(_signed_part(body, fee), where)
    else:
        mode_info = wire.octets(1, wire.number_field(1, mode))
        data = direct_bytes(_body_bytes(body), _auth_bytes(public, mode_info, where.sequence, fee), where)
    info = {"public_key": public.shown(), "mode_info": {"single": {"mode": MODE_NAMES[mode]}}}
    return _whole(body, fee, {**info, "sequence": str(where.sequence)}, key.sign_bytes(data))


def sign_member(document: Document, key: Key, where: SignerData) -> dict[str, Any]:
    """What one member of a multisig hands over: the signature alone, in amino-json. Raises SigningError."""
    body, fee = _body_and_fee(document)
    signature = key.sign_bytes(amino_bytes(_signed_part(body, fee), where))
    data = {"single": {"mode": MODE_NAMES[AMINO_JSON], "signature": _base64(signature)}}
    shown = {"public_key": SingleKey(key.public_key).shown(), "data": data, "sequence": str(where.sequence)}
    return {"signatures": [shown]}


def join(document: Document, multisig: MultisigKey, parts: Sequence[Document], where: SignerData) -> dict[str, Any]:
    """The whole transaction with the members' signatures.

    As the command line does, it joins fewer than the threshold without complaint; a signature that is no member's,
    or not over this file for `where`, raises SigningError.
    """
    body, fee = _body_and_fee(document)
    data = amino_bytes(_signed_part(body, fee), where)
    signatures: dict[int, bytes] = {}
    for part in parts:
        for place, signature in _members(part, multisig):
            if not is_signature(data, signature, multisig.keys[place].value):
                address = multisig.keys[place].address
                raise SigningError(
                    f"the signature of {address} is not over this file for chain {where.chain_id}, account number "
                    f"{where.account_number}, sequence {where.sequence}"
                )
            signatures[place] = signature
    places = sorted(signatures)
    mode_info = {
        "multi": {
            "bitarray": {
                "extra_bits_stored": multisig.members % 8,
                "elems": _base64(_bits(places, multisig.members)),
            },
            "mode_infos": [{"single": {"mode": MODE_NAMES[AMINO_JSON]}} for _ in places],
        }
    }
    info = {"public_key": multisig.shown(), "mode_info": mode_info, "sequence": str(where.sequence)}
    return _whole(body, fee, info, b"".join(wire.octets(1, signatures[place]) for place in places))


def sign_text(text: str, key: Key) -> dict[str, Any]:
    """The ADR-036 signature of a text, as a wallet's `signArbitrary` answers."""
    public = {"type": "tendermint/PubKeySecp256k1", "value": _base64(key.public_key)}
    return {"pub_key": public, "signature": _base64(key.sign(text))}


def raw_of(document: Document) -> bytes:
    """The bytes of a signed transaction, as they are broadcast. Raises SigningError."""
    body, fee = _body_and_fee(document)
    try:
        (signer,) = document["auth_info"]["signer_infos"]
        auth = _auth_bytes(_key(signer["public_key"]), _mode_bytes(signer["mode_info"]), int(signer["sequence"]), fee)
        signatures = [base64.b64decode(each) for each in document["signatures"]]
    except (KeyError, TypeError, ValueError) as error:
        raise SigningError(f"this is no signed transaction of one signer: {error}") from error
    return (
        wire.octets(1, _body_bytes(body))
        + wire.octets(2, auth)
        + b"".join(wire.octets(3, each) for each in signatures)
    )


def _body_and_fee(document: Document) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        body, fee = document["body"], document["auth_info"]["fee"]
        kinds = {message["@type"] for message in body["messages"]}
        timeout = int(body.get("timeout_height") or 0)
        kept = {"messages": body["messages"], "memo": body.get("memo") or "", "timeout_height": str(timeout)}
        coins = [{"denom": str(coin["denom"]), "amount": str(coin["amount"])} for coin in fee["amount"]]
        paid = {"amount": coins, "gas_limit": str(int(fee["gas_limit"]))}
        paid |= {name: fee.get(name) or "" for name in ("payer", "granter")}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SigningError(f"this is no transaction as JSON: {error!r} is missing or wrong") from error
    if not kinds or kinds - set(AMINO_NAMES) or body.get("unordered"):
        raise SigningError("only bank transfers (MsgSend, MsgMultiSend) can be signed here")
    return kept, paid


def _signed_part(body: Document, fee: Document) -> dict[str, Any]:
    signed = {"amount": fee["amount"], "gas": fee["gas_limit"]}
    return {**body, "fee": signed | {name: fee[name] for name in ("payer", "granter") if fee[name]}}


def _whole(body: Document, fee: Document, signer: Document, signature: bytes) -> dict[str, Any]:
    rest: dict[str, Any] = {
        "unordered": False,
        "timeout_timestamp": None,
        "extension_options": [],
        "non_critical_extension_options": [],
    }
    return {
        "body": {**body, **rest},
        "auth_info": {"signer_infos": [signer], "fee": fee, "tip": None},
        "signatures": [_base64(signature)],
    }


def _body_bytes(body: Document) -> bytes:
    try:
        packed = [
            wire.octets(1, each["@type"].encode()) + wire.octets(2, wire.encode(each["@type"], each))
            for each in body["messages"]
        ]
    except (AttributeError, TypeError) as error:
        raise SigningError("a message of this transaction is not of the form of its type") from error
    out = b"".join(wire.octets(1, each) for each in packed)
    if body["memo"]:
        out += wire.octets(2, body["memo"].encode())
    return out + wire.number_field(3, int(body["timeout_height"]))


def _auth_bytes(key: PublicKey, mode_info: bytes, sequence: int, fee: Document) -> bytes:
    signer = wire.octets(1, _key_bytes(key)) + wire.octets(2, mode_info) + wire.number_field(3, sequence)
    paid = b"".join(wire.octets(1, wire.encode("Coin", coin)) for coin in fee["amount"])
    paid += wire.number_field(2, int(fee["gas_limit"]))
    for number, name in ((3, "payer"), (4, "granter")):
        paid += wire.octets(number, fee[name].encode()) if fee[name] else b""
    return wire.octets(1, signer) + wire.octets(2, paid)


def _key_bytes(key: PublicKey) -> bytes:
    if isinstance(key, SingleKey):
        return wire.octets(1, SINGLE.encode()) + wire.octets(2, wire.octets(1, key.value))
    members = b"".join(wire.octets(2, _key_bytes(member)) for member in key.keys)
    return wire.octets(1, MULTISIG.encode()) + wire.octets(2, wire.number_field(1, key.threshold) + members)


def _mode_bytes(mode_info: Document) -> bytes:
    if "single" in mode_info:
        numbers = {name: number for number, name in MODE_NAMES.items()}
        return wire.octets(1, wire.number_field(1, numbers[mode_info["single"]["mode"]]))
    multi = mode_info["multi"]
    bits = wire.number_field(1, int(multi["bitarray"]["extra_bits_stored"]))
    bits += wire.octets(2, base64.b64decode(multi["bitarray"]["elems"]))
    modes = b"".join(wire.octets(2, _mode_bytes(each)) for each in multi["mode_infos"])
    return wire.octets(2, wire.octets(1, bits) + modes)


def _key(shown: Document) -> PublicKey:
    if shown["@type"] == SINGLE:
        return SingleKey(base64.b64decode(shown["key"]))
    return MultisigKey.of(shown)


def _members(part: Document, multisig: MultisigKey) -> list[tuple[int, bytes]]:
    found = []
    try:
        for each in part["signatures"]:
            value = base64.b64decode(each["public_key"]["key"], validate=True)
            signature = base64.b64decode(each["data"]["single"]["signature"], validate=True)
            if SingleKey(value) not in multisig.keys:
                raise SigningError(f"{SingleKey(value).address} is no member of {multisig.address}")
            found.append((multisig.keys.index(SingleKey(value)), signature))
    except (KeyError, TypeError, binascii.Error) as error:
        raise SigningError("a member's file must hold its signature alone: sign with --multisig") from error
    return found


def _bits(places: Sequence[int], size: int) -> bytes:
    out = bytearray(-(-size // 8))
    for place in places:
        out[place // 8] |= 128 >> place % 8
    return bytes(out)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
