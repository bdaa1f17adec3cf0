"""Keys of made-up people: deterministic secp256k1 keys from (seed, name), their addresses, ADR-036 signatures.

For local networks only: whoever knows the seed has every key. Anything of value needs keys from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from Crypto.Hash import RIPEMD160
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_FIELD = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""How many private keys secp256k1 has."""

_GENERATOR = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
_WINDOW_BITS = 6
_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

_Jacobian = tuple[int, int, int]
_Affine = tuple[int, int]


@dataclass(frozen=True)
class Key:
    """The private key of `name`, a number in 1 … n-1."""

    name: str
    secret: int

    @cached_property
    def public_key(self) -> bytes:
        """The compressed point, 33 bytes."""
        x, y = _multiply_generator(self.secret)
        return bytes([2 + (y & 1)]) + x.to_bytes(32, "big")

    @cached_property
    def address(self) -> str:
        """`akash1…` of 20 bytes, lower case: bech32 of RIPEMD160(SHA256(public key))."""
        return bech32("akash", RIPEMD160.new(hashlib.sha256(self.public_key).digest()).digest())

    def sign(self, text: str) -> bytes:
        """The ADR-036 signature of `text` by this address: r then s, 64 bytes, low s, the same at every call."""
        return self.sign_bytes(adr036_bytes(self.address, text))

    def sign_bytes(self, data: bytes) -> bytes:
        """The signature over SHA-256 of `data`: r then s, 64 bytes, low s (RFC 6979, so the same at every call)."""
        private = ec.derive_private_key(self.secret, ec.SECP256K1())
        der = private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def key_of(seed: int, name: str) -> Key:
    """The key of (seed, name); other names give other keys."""
    digest = hashlib.sha512(f"waymark local network key\n{seed}\n{name}".encode()).digest()
    return Key(name, int.from_bytes(digest, "big") % (ORDER - 1) + 1)


def adr036_bytes(signer: str, text: str) -> bytes:
    """What a wallet signs for an arbitrary text (ADR-036, as Keplr builds it): sorted keys, no spaces."""
    data = base64.b64encode(text.encode()).decode()
    return (
        '{"account_number":"0","chain_id":"","fee":{"amount":[],"gas":"0"},"memo":"",'
        f'"msgs":[{{"type":"sign/MsgSignData","value":{{"data":"{data}","signer":"{signer}"}}}}],"sequence":"0"}}'
    ).encode()


def bech32(prefix: str, payload: bytes) -> str:
    """BIP-173 text of `payload` (whole bytes, padded to groups of five bits)."""
    bits = len(payload) * 8
    padding = -bits % 5
    number = int.from_bytes(payload, "big") << padding
    words = [(number >> shift) & 31 for shift in range(bits + padding - 5, -1, -5)]
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    check = _polymod([*expanded, *words, 0, 0, 0, 0, 0, 0]) ^ 1
    words += [(check >> shift) & 31 for shift in range(25, -1, -5)]
    return f"{prefix}1{''.join(_CHARSET[word] for word in words)}"


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                check ^= generator
    return check


def _multiply_generator(scalar: int) -> _Affine:
    """`scalar` times the generator, by a table of its multiples.

    A story has some 1,500 people and is built at every start: deriving each key by OpenSSL takes a second or more.
    """
    point: _Jacobian | None = None
    for row in _table():
        digit = scalar & (len(row) - 1)
        if digit:
            x, y = row[digit]
            point = (x, y, 1) if point is None else _add(point, (x, y))
        scalar >>= _WINDOW_BITS
    if point is None:
        raise ValueError("zero is no private key")
    return _affine(point)


@cache
def _table() -> tuple[tuple[_Affine, ...], ...]:
    """Row w holds digit x 2**(w x window) x generator for every digit (the entry of digit 0 is never used)."""
    return tuple(_rows())


def _rows() -> Iterator[tuple[_Affine, ...]]:
    base = _GENERATOR
    for _ in range(0, 256, _WINDOW_BITS):
        points: list[_Jacobian] = [(*base, 1), _double((*base, 1))]
        while len(points) < 2**_WINDOW_BITS:
            points.append(_add(points[-1], base))
        *row, base = _affine_all(points)
        yield (_GENERATOR, *row)


def _affine_all(points: list[_Jacobian]) -> list[_Affine]:
    """The affine forms, with one inversion for all."""
    products = [1]
    for _, _, z in points:
        products.append(products[-1] * z % _FIELD)
    inverse = pow(products[-1], -1, _FIELD)
    affine = []
    for (x, y, z), before in zip(reversed(points), reversed(products[:-1]), strict=True):
        own = inverse * before % _FIELD
        inverse = inverse * z % _FIELD
        square = own * own % _FIELD
        affine.append((x * square % _FIELD, y * square * own % _FIELD))
    return affine[::-1]


def _affine(point: _Jacobian) -> _Affine:
    return _affine_all([point])[0]


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    square = y * y % _FIELD
    s = 4 * x * square % _FIELD
    m = 3 * x * x % _FIELD
    doubled = (m * m - 2 * s) % _FIELD
    return doubled, (m * (s - doubled) - 8 * square * square) % _FIELD, 2 * y * z % _FIELD


def _add(point: _Jacobian, other: _Affine) -> _Jacobian:
    """The sum of two different points, neither of them the opposite of the other."""
    x, y, z = point
    square = z * z % _FIELD
    h = other[0] * square - x
    r = (other[1] * square * z - y) % _FIELD
    h2 = h * h % _FIELD
    h3 = h2 * h % _FIELD
    v = x * h2 % _FIELD
    added = (r * r - h3 - 2 * v) % _FIELD
    return added, (r * (v - added) - y * h3) % _FIELD, z * h % _FIELD
