"""Akash addresses: reading them strictly and computing them from keys (bech32, BIP-173)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NewType

Address = NewType("Address", str)
"""A checked address: lower case, prefix `akash`, 20 bytes (32 for contracts where asked for)."""

PREFIX = "akash"
ACCOUNT_BYTES = 20
CONTRACT_BYTES = 32
LONGEST = 90

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_CHARSET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6
_MULTISIG_AMINO = bytes.fromhex("22c1f7e2")
_KEY_AMINO = bytes.fromhex("eb5ae98721")


class AddressError(ValueError):
    """Text that is no address we take; the message says what would make it one."""


def parse_address(text: str, *, contracts: bool = False) -> Address:
    """Read an address as typed by people; white space around it is dropped, everything else must be exact.

    `contracts` also takes addresses of 32 bytes (wallet-and-payouts.md 2.5).
    Raises AddressError naming the one mistake found.
    """
    stripped = text.strip()
    payload = _decode(stripped)
    if len(payload) == CONTRACT_BYTES and not contracts:
        raise AddressError("this is the address of a contract (32 bytes); give the address of an account")
    if len(payload) not in {ACCOUNT_BYTES, CONTRACT_BYTES}:
        raise AddressError(f"the address holds {len(payload)} bytes instead of {ACCOUNT_BYTES}: it is no account")
    return Address(stripped)


def is_address(text: str, *, contracts: bool = False) -> bool:
    """Whether `text` is exactly an address, without white space around it."""
    try:
        return parse_address(text, contracts=contracts) == text
    except AddressError:
        return False


def encode_address(payload: bytes) -> Address:
    """Write 20 or 32 bytes as an address. Raises AddressError for another length."""
    if len(payload) not in {ACCOUNT_BYTES, CONTRACT_BYTES}:
        raise AddressError(f"an address has {ACCOUNT_BYTES} or {CONTRACT_BYTES} bytes, not {len(payload)}")
    words = _regroup(payload, 8, 5)
    checksum = _polymod([*_expanded(PREFIX), *words, *([0] * _CHECKSUM)]) ^ 1
    words += [(checksum >> 5 * (_CHECKSUM - 1 - place)) & 31 for place in range(_CHECKSUM)]
    return Address(f"{PREFIX}1{''.join(_CHARSET[word] for word in words)}")


def address_of_key(public_key: bytes) -> Address:
    """The address of a compressed secp256k1 key of 33 bytes: RIPEMD-160 of SHA-256 (cosmos-sdk secp256k1.go)."""
    from Crypto.Hash import RIPEMD160

    return encode_address(RIPEMD160.new(hashlib.sha256(public_key).digest()).digest())


def address_of_multisig(threshold: int, public_keys: Sequence[bytes]) -> Address:
    """The address of a `threshold`-of-n key over compressed secp256k1 keys in their order.

    First 20 bytes of SHA-256 over the amino form (wallet-and-payouts.md 2.4).
    Raises AddressError for a threshold outside 1..n, for no keys or for more than 127.
    """
    if not 1 <= threshold <= len(public_keys) <= 127:
        raise AddressError(f"{threshold} of {len(public_keys)} keys is no multisig")
    members = (b"\x12\x26" + _KEY_AMINO + key for key in public_keys)
    amino = _MULTISIG_AMINO + bytes((0x08, threshold)) + b"".join(members)
    return encode_address(hashlib.sha256(amino).digest()[:ACCOUNT_BYTES])


def _decode(text: str) -> bytes:
    if not text:
        raise AddressError("the address is empty")
    if len(text) > LONGEST:
        raise AddressError("the address is too long; it begins with akash1 and has 44 characters")
    if text != text.lower():
        raise AddressError("write the address in lower case")
    if not text.startswith(f"{PREFIX}1"):
        raise AddressError("the address must begin with akash1")
    data = text[len(PREFIX) + 1 :]
    for character in data:
        if character not in _VALUES:
            raise AddressError(f"{character!r} cannot occur in an address")
    words = [_VALUES[character] for character in data]
    if len(words) <= _CHECKSUM or _polymod([*_expanded(PREFIX), *words]) != 1:
        raise AddressError("the checksum does not match: a character is wrong or missing; copy the address again")
    return _bytes_of(words[:-_CHECKSUM])


def _bytes_of(words: Sequence[int]) -> bytes:
    spare = len(words) * 5 % 8
    if spare > 4 or (spare and words[-1] & ((1 << spare) - 1)):
        raise AddressError("the address is badly padded; copy it again")
    return bytes(_regroup(words, 5, 8)[: len(words) * 5 // 8])


def _expanded(prefix: str) -> list[int]:
    return [*(ord(character) >> 5 for character in prefix), 0, *(ord(character) & 31 for character in prefix)]


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            if top >> place & 1:
                checksum ^= generator
    return checksum


def _regroup(values: Iterable[int], from_bits: int, to_bits: int) -> list[int]:
    """Cut a run of `from_bits` groups into `to_bits` groups; the last one is filled with zeros."""
    held, bits, groups = 0, 0, []
    for value in values:
        held = held << from_bits | value
        bits += from_bits
        while bits >= to_bits:
            bits -= to_bits
            groups.append(held >> bits & ((1 << to_bits) - 1))
    if bits:
        groups.append(held << (to_bits - bits) & ((1 << to_bits) - 1))
    return groups
