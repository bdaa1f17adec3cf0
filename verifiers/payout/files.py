"""Transaction files as the command line writes and reads them: exported, signed, or as base64."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from tasks.payout.batches import DENOM
from verifiers.payout.export import Export, Fee
from verifiers.payout.signed import BitArray, Mode, PaidFee, SignedFileError, SignedTransaction, Signer, from_raw
from verifiers.payout.transfers import Coin, Message, MultiSend, Send, Side
from verifiers.wallet.multisig import MultisigKey
from verifiers.wallet.signatures import decode_base64

LONGEST_FILE = 4 * 1024 * 1024


def read_signed(file: str | bytes) -> SignedTransaction:
    """Read a signed file: JSON, or the base64 of `tx encode`. Raises SignedFileError saying what it is instead."""
    text = _text(file)
    if text.startswith("{"):
        return _from_json(_transaction(text))
    try:
        raw = decode_base64("".join(text.split()))
    except ValueError as error:
        raise SignedFileError("the file is neither the JSON of a transaction nor base64 of one") from error
    return from_raw(raw)


def read_export(file: str | bytes) -> Export:
    """Read an exported file back. Raises SignedFileError where it is none of ours."""
    read = _from_json(_transaction(_text(file)))
    if read.signers or read.signatures:
        raise SignedFileError("this file is signed; the export is not")
    if any(coin.denom != DENOM or coin.units is None for coin in read.fee.amount):
        raise SignedFileError(f"the fee of an export is in {DENOM}")
    return Export(read.messages, read.memo, read.timeout_height, Fee(read.fee.uakt, read.fee.gas_limit))


def _text(file: str | bytes) -> str:
    if len(file) > LONGEST_FILE:
        raise SignedFileError("the file is too large for a payout of a few hundred rows")
    try:
        text = file.decode() if isinstance(file, bytes) else file
    except UnicodeDecodeError as error:
        raise SignedFileError("the file is no text") from error
    if not text.strip():
        raise SignedFileError("the file is empty")
    return text.strip()


def _transaction(text: str) -> _Transaction:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SignedFileError("the file is no JSON; save the command's output again") from error
    if isinstance(read, dict) and "body" not in read and "signatures" in read:
        raise SignedFileError("this is the signature of one member: join the members' files with multi-sign first")
    try:
        return _Transaction.model_validate(read)
    except (ValidationError, RecursionError) as error:
        where = ".".join(str(each) for each in error.errors()[0]["loc"]) if isinstance(error, ValidationError) else ""
        raise SignedFileError(
            f"the file is no transaction of bank transfers (at {where or 'its beginning'})"
        ) from error


def _from_json(read: _Transaction) -> SignedTransaction:
    fee = read.auth_info.fee
    try:
        return SignedTransaction(
            messages=tuple(_message(message) for message in read.body.messages),
            memo=read.body.memo,
            timeout_height=int(read.body.timeout_height),
            fee=PaidFee(_coins(fee.amount), int(fee.gas_limit), fee.payer, fee.granter),
            signers=tuple(_signer(signer) for signer in read.auth_info.signer_infos),
            signatures=tuple(decode_base64(signature) for signature in read.signatures),
        )
    except ValueError as error:
        raise SignedFileError(f"the file can't be read: {error}") from error


def _message(read: _Send | _MultiSend) -> Message:
    if isinstance(read, _Send):
        return Send(read.from_address, read.to_address, _coins(read.amount))
    return MultiSend(_sides(read.inputs), _sides(read.outputs))


def _sides(read: list[_Side]) -> tuple[Side, ...]:
    return tuple(Side(side.address, _coins(side.coins)) for side in read)


def _coins(read: list[_Coin]) -> tuple[Coin, ...]:
    return tuple(Coin(coin.denom, coin.amount) for coin in read)


def _signer(read: _Signer) -> Signer:
    key = None if read.public_key is None else _key(read.public_key)
    sequence = int(read.sequence)
    if isinstance(read.mode_info, _SingleMode):
        return Signer(key, (Mode[_MODES[read.mode_info.single.mode]],), None, sequence)
    multi = read.mode_info.multi
    modes = tuple(Mode[_MODES[each.single.mode]] for each in multi.mode_infos)
    bits = BitArray(multi.bitarray.extra_bits_stored, decode_base64(multi.bitarray.elems))
    return Signer(key, modes, bits, sequence)


def _key(read: _Key | _MultisigKey) -> bytes | MultisigKey:
    if isinstance(read, _Key):
        return decode_base64(read.key)
    return MultisigKey(read.threshold, tuple(decode_base64(member.key) for member in read.public_keys))


_MODES = {"SIGN_MODE_DIRECT": "DIRECT", "SIGN_MODE_LEGACY_AMINO_JSON": "AMINO"}

_Whole = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,18})$")]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Coin(_Exact):
    denom: str
    amount: str


class _Side(_Exact):
    address: str
    coins: list[_Coin]


class _MultiSend(_Exact):
    type: Literal["/cosmos.bank.v1beta1.MsgMultiSend"] = Field(alias="@type")
    inputs: list[_Side]
    outputs: list[_Side]


class _Send(_Exact):
    type: Literal["/cosmos.bank.v1beta1.MsgSend"] = Field(alias="@type")
    from_address: str
    to_address: str
    amount: list[_Coin]


class _Body(_Exact):
    messages: Annotated[list[Annotated[_MultiSend | _Send, Field(discriminator="type")]], Field(min_length=1)]
    memo: str
    timeout_height: _Whole = "0"
    # Newer command lines print the two fields of SDK 0.53, empty.
    unordered: Literal[False] = False
    timeout_timestamp: None = None
    extension_options: Annotated[list[object], Field(max_length=0)] = []
    non_critical_extension_options: Annotated[list[object], Field(max_length=0)] = []


class _Key(_Exact):
    type: Literal["/cosmos.crypto.secp256k1.PubKey"] = Field(alias="@type")
    key: str


class _MultisigKey(_Exact):
    type: Literal["/cosmos.crypto.multisig.LegacyAminoPubKey"] = Field(alias="@type")
    threshold: Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
    public_keys: Annotated[list[_Key], Field(max_length=32)]


class _Single(_Exact):
    mode: Literal["SIGN_MODE_DIRECT", "SIGN_MODE_LEGACY_AMINO_JSON"]


class _SingleMode(_Exact):
    single: _Single


class _BitArray(_Exact):
    extra_bits_stored: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] = 0
    elems: str


class _Multi(_Exact):
    bitarray: _BitArray
    mode_infos: Annotated[list[_SingleMode], Field(max_length=32)]


class _MultiMode(_Exact):
    multi: _Multi


class _Signer(_Exact):
    public_key: Annotated[_Key | _MultisigKey, Field(discriminator="type")] | None = None
    mode_info: _SingleMode | _MultiMode
    sequence: _Whole = "0"


class _Fee(_Exact):
    amount: list[_Coin] = []
    gas_limit: _Whole = "0"
    payer: str = ""
    granter: str = ""


class _AuthInfo(_Exact):
    signer_infos: list[_Signer]
    fee: _Fee
    tip: None = None


class _Transaction(_Exact):
    body: _Body
    auth_info: _AuthInfo
    signatures: list[str]
