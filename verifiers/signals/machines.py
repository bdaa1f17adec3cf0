"""Where a provider answers and which keys it uses, in the form in which providers are compared (pure)."""

from __future__ import annotations

import hashlib
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verifiers.chain.answers import decode_certificates
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.guard import HostRefused, is_public, named_url
from verifiers.provider.identity import certificate_der

CHOSEN_SERIALS = 1 << 32
"""Akash's own programs take the time in nanoseconds as a serial number; a smaller one was chosen by hand, and two
people may choose the same."""


def host_of(host_uri: str) -> str:
    """The host in the form in which hosts are compared, empty where it can't be read.

    A public name or address alone. One that means another machine to everybody (`localhost`, a private address, a
    name without a dot) with its port.
    """
    try:
        named = named_url(host_uri)
    except HostRefused:
        return ""
    try:
        is_everybodys = is_public(ip_address(named.host))
    except ValueError:
        is_everybodys = "." in named.host
    return named.host if is_everybodys else f"{named.host}:{named.port}"


def certificate_values(body: bytes, api: ApiSet = CURRENT) -> list[str]:
    """Of a provider's certificates on the chain, revoked ones too: `key <sha256>` and `serial <number>`, each once.

    Raises Undecodable.
    """
    found: dict[str, None] = {}
    for row in decode_certificates(body, api).rows:
        der = certificate_der(row.certificate.cert)
        key = _key_of(der) if der is not None else ""
        if key:
            found[f"key {key}"] = None
        if row.serial >= CHOSEN_SERIALS:
            found[f"serial {row.serial}"] = None
    return list(found)


def _key_of(der: bytes) -> str:
    """SHA-256 of the public key, hex; empty where it can't be read."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    except (ValueError, TypeError, Warning, x509.InvalidVersion):
        return ""
