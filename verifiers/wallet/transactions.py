"""Proof by a transaction that can never be sent: made by the server, signed by the command line (1.5 a and c)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verifiers.wallet import amino
from verifiers.wallet.addresses import Address, address_of_key, is_address
from verifiers.wallet.multisig import MultisigKey, is_multisigned, members_marked
from verifiers.wallet.protobuf import direct_sign_bytes, signatures_inside
from verifiers.wallet.signatures import decode_base64, is_public_key, is_signature_of

SIGN_CHAIN_ID = "not-a-chain-akash-incentive-proof"
"""The chain id signed in: no chain has it, so no chain takes the transaction."""

LONGEST_TEXT = 65_536

_SEND = "/cosmos.bank.v1beta1.MsgSend"
_AMINO = "SIGN_MODE_LEGACY_AMINO_JSON"


def unsigned_transaction(address: Address, memo: str) -> dict[str, object]:
    """The transaction to sign, as the `akash tx sign` command reads it: 1uakt to oneself, no fee, no gas.

    Only the fields of SDK 0.47: every later command line reads these too, the earlier ones refuse more.
    """
    return {
        "body": {
            "messages": [
                {
                    "@type": _SEND,
                    "from_address": address,
                    "to_address": address,
                    "amount": [{"denom": "uakt", "amount": "1"}],
                }
            ],
            "memo": memo,
            "timeout_height": "0",
            "extension_options": [],
            "non_critical_extension_options": [],
        },
        "auth_info": {
            "signer_infos": [],
            "fee": {"amount": [], "gas_limit": "0", "payer": "", "granter": ""},
            "tip": None,
        },
        "signatures": [],
    }


def is_signed_transaction_of(address: Address, memo: str, signed: str | Mapping[str, object]) -> bool:
    """Whether `signed` is our unsigned transaction, signed by the key or the k-of-n key of `address`.

    `signed` is what the command line printed, as text or already parsed. The signed bytes are rebuilt from
    `address` and `memo`; of `signed` only the key, the way of signing and the signatures are used.
    """
    transaction = _read(signed)
    if transaction is None or not is_address(address) or not _is_ours(transaction, address, memo):
        return False
    signer = transaction.auth_info.signer_infos[0]
    try:
        signature = decode_base64(transaction.signatures[0])
        if isinstance(signer.public_key, _MultisigKey):
            return _is_multisigned(address, memo, signer.public_key, signer.mode_info, signature)
        return _is_signed(address, memo, signer.public_key, signer.mode_info, signature)
    except ValueError:
        return False


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class _Coin(_Exact):
    denom: str
    amount: str


class _Send(_Exact):
    type: Literal["/cosmos.bank.v1beta1.MsgSend"] = Field(alias="@type")
    from_address: str
    to_address: str
    amount: Annotated[list[_Coin], Field(max_length=1)]


class _Body(_Exact):
    messages: Annotated[list[_Send], Field(min_length=1, max_length=1)]
    memo: str
    # Newer command lines print the two fields of SDK 0.53, empty.
    timeout_height: Literal["0"] = "0"
    unordered: Literal[False] = False
    timeout_timestamp: None = None
    extension_options: Annotated[list[object], Field(max_length=0)] = []
    non_critical_extension_options: Annotated[list[object], Field(max_length=0)] = []


class _Key(_Exact):
    type: Literal["/cosmos.crypto.secp256k1.PubKey"] = Field(alias="@type")
    key: str


class _MultisigKey(_Exact):
    type: Literal["/cosmos.crypto.multisig.LegacyAminoPubKey"] = Field(alias="@type")
    threshold: int
    public_keys: Annotated[list[_Key], Field(max_length=32)]


class _Single(_Exact):
    mode: Literal["SIGN_MODE_DIRECT", "SIGN_MODE_LEGACY_AMINO_JSON"]


class _SingleMode(_Exact):
    single: _Single


class _BitArray(_Exact):
    extra_bits_stored: int = 0
    elems: str


class _Multi(_Exact):
    bitarray: _BitArray
    mode_infos: Annotated[list[_SingleMode], Field(max_length=32)]


class _MultiMode(_Exact):
    multi: _Multi


class _Signer(_Exact):
    public_key: _Key | _MultisigKey
    mode_info: _SingleMode | _MultiMode
    sequence: Literal["0"] = "0"


class _Fee(_Exact):
    amount: Annotated[list[_Coin], Field(max_length=0)] = []
    gas_limit: Literal["0"] = "0"
    payer: Literal[""] = ""
    granter: Literal[""] = ""


class _AuthInfo(_Exact):
    signer_infos: Annotated[list[_Signer], Field(min_length=1, max_length=1)]
    fee: _Fee
    tip: None = None


class _Transaction(_Exact):
    body: _Body
    auth_info: _AuthInfo
    signatures: Annotated[list[str], Field(min_length=1, max_length=1)]


def _read(signed: str | Mapping[str, object]) -> _Transaction | None:
    try:
        if isinstance(signed, str):
            if len(signed) > LONGEST_TEXT:
                return None
            signed = json.loads(signed)
        return _Transaction.model_validate(signed)
    except (ValidationError, ValueError, RecursionError):
        return None


def _is_ours(transaction: _Transaction, address: Address, memo: str) -> bool:
    send = transaction.body.messages[0]
    return (
        transaction.body.memo == memo
        and send.from_address == send.to_address == address
        and send.amount == [_Coin(denom="uakt", amount="1")]
    )


def _is_signed(address: Address, memo: str, key: _Key, mode: _SingleMode | _MultiMode, signature: bytes) -> bool:
    public_key = decode_base64(key.key)
    if not isinstance(mode, _SingleMode) or not is_public_key(public_key):
        return False
    if address_of_key(public_key) != address:
        return False
    if mode.single.mode == _AMINO:
        return is_signature_of(_amino_bytes(address, memo), public_key, signature)
    message = direct_sign_bytes(address, memo, public_key, chain_id=SIGN_CHAIN_ID)
    return is_signature_of(message, public_key, signature)


def _is_multisigned(
    address: Address, memo: str, key: _MultisigKey, mode: _SingleMode | _MultiMode, signature: bytes
) -> bool:
    multisig = MultisigKey(key.threshold, tuple(decode_base64(member.key) for member in key.public_keys))
    if not isinstance(mode, _MultiMode) or not multisig.is_sound or multisig.address != address:
        return False
    infos = mode.multi.mode_infos
    array = mode.multi.bitarray
    marked = members_marked(array.extra_bits_stored, decode_base64(array.elems), len(multisig.members))
    # The SDK takes amino-json only from the members of a k-of-n key.
    if marked is None or len(infos) != len(marked) or any(info.single.mode != _AMINO for info in infos):
        return False
    return is_multisigned(_amino_bytes(address, memo), multisig, marked, signatures_inside(signature))


def _amino_bytes(address: Address, memo: str) -> bytes:
    value = {"amount": [{"amount": "1", "denom": "uakt"}], "from_address": address, "to_address": address}
    return amino.sign_bytes(
        chain_id=SIGN_CHAIN_ID,
        account_number=0,
        sequence=0,
        fee={"amount": [], "gas": "0"},
        messages=[{"type": "cosmos-sdk/MsgSend", "value": value}],
        memo=memo,
    )
