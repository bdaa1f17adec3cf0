"""Addresses as the chain reads them: bech32 to bytes, with the node's own words for what is wrong."""

from __future__ import annotations

import hashlib

from devnet.keys import bech32

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_CHARSET)}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


class BadAddressError(ValueError):
    """A text that is no address; the message is the node's."""


class OtherPrefixError(BadAddressError):
    """An address of another chain."""

    def __init__(self, prefix: str) -> None:
        super().__init__(f"hrp does not match bech32 prefix: expected 'akash' got '{prefix}': internal logic error")
        self.prefix = prefix


def decode(text: str) -> tuple[str, bytes]:
    """Prefix and bytes of a bech32 text (BIP 173). Raises BadAddressError with the wording of cosmos-sdk's bech32."""
    if text.lower() != text and text.upper() != text:
        raise BadAddressError("decoding bech32 failed: string not all lowercase or all uppercase")
    lower = text.lower()
    separator = lower.rfind("1")
    if separator < 1 or separator + 7 > len(lower):
        raise BadAddressError(f"decoding bech32 failed: invalid separator index {separator}")
    prefix, data = lower[:separator], lower[separator + 1 :]
    for letter in data:
        if letter not in _VALUES:
            raise BadAddressError(f"decoding bech32 failed: invalid character not part of charset: {ord(letter)}")
    values = [_VALUES[letter] for letter in data]
    if _polymod(_expand(prefix) + values) != 1:
        good = bech32_checksum(prefix, values[:-6])
        raise BadAddressError(f"decoding bech32 failed: invalid checksum (expected {good} got {data[-6:]})")
    return prefix, _to_bytes(values[:-6])


def bech32_checksum(prefix: str, values: list[int]) -> str:
    """The six letters that close a bech32 text."""
    polymod = _polymod([*_expand(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    return "".join(_CHARSET[(polymod >> 5 * (5 - place)) & 31] for place in range(6))


def account_bytes(text: str) -> bytes:
    """The 20 (or 32) bytes of an `akash1…` address. Raises BadAddressError."""
    if not text.strip():
        raise BadAddressError("empty address string is not allowed")
    prefix, data = decode(text)
    if prefix != "akash":
        raise OtherPrefixError(prefix)
    return data


def is_account(text: str) -> bool:
    """Whether a text is an address of this chain."""
    try:
        account_bytes(text)
    except BadAddressError:
        return False
    return True


def module_address(name: str) -> str:
    """The address of a module's account: the first 20 bytes of SHA-256 of its name."""
    return bech32("akash", hashlib.sha256(name.encode()).digest()[:20])


def made_up_address(name: str, prefix: str = "akash") -> str:
    """An address that nobody has the key of, the same for the same name."""
    return bech32(prefix, hashlib.sha256(b"waymark devnet " + name.encode()).digest()[:20])


def _expand(prefix: str) -> list[int]:
    return [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            if top >> place & 1:
                checksum ^= generator
    return checksum


def _to_bytes(values: list[int]) -> bytes:
    number = bits = 0
    out = bytearray()
    for value in values:
        number = number << 5 | value
        bits += 5
        if bits >= 8:
            bits -= 8
            out.append(number >> bits & 255)
    return bytes(out)
