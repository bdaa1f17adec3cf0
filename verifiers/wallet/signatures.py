"""secp256k1 signatures, checked more strictly than the curve asks for (wallet-and-payouts.md 1.2)."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

KEY_BYTES = 33
SIGNATURE_BYTES = 64
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_CURVE = ec.SECP256K1()
_SHA256 = ec.ECDSA(hashes.SHA256())


def is_public_key(public_key: bytes) -> bool:
    """Whether these are the 33 bytes of a compressed point of the curve."""
    return _point(public_key) is not None


def is_signature_of(message: bytes, public_key: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes r||s) signs SHA-256 of `message` with the compressed `public_key` (33 bytes).

    False for everything else: another length, r or s outside 1..n-1, the high-S twin, a point off the curve.
    """
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    # The twin (r, n-s) verifies too; one signature must have one form.
    if not (1 <= r < ORDER and 1 <= s <= ORDER // 2):
        return False
    point = _point(public_key)
    if point is None:
        return False
    try:
        point.verify(utils.encode_dss_signature(r, s), message, _SHA256)
    except InvalidSignature:
        return False
    return True


def decode_base64(text: str) -> bytes:
    """Read padded standard base64. Raises ValueError for anything else, also for text that is no ASCII."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("this is not padded standard base64") from error


def _point(public_key: bytes) -> ec.EllipticCurvePublicKey | None:
    if len(public_key) != KEY_BYTES or public_key[0] not in {2, 3}:
        return None
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public_key)
    except ValueError:
        return None
