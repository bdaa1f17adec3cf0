"""Client and server certificates of made-up people, the same at every start (chain-sdk `go/util/tls`)."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_VERSION_EXTENSION = ObjectIdentifier("2.23.133.2.6")


def certificate_key(owner: str, serial: int) -> ec.EllipticCurvePrivateKey:
    """The P-256 key of a certificate, the same for the same owner and serial."""
    seed = hashlib.sha256(f"waymark devnet certificate {owner} {serial}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(seed) % (_P256_ORDER - 1) + 1, ec.SECP256R1())


def make_certificate(owner: str, serial: int, not_before_seconds: int) -> tuple[bytes, bytes]:
    """PEM of a self-signed certificate for `owner`, valid for a year, and PEM of its public key."""
    key = certificate_key(owner, serial)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, owner),
            x509.NameAttribute(_VERSION_EXTENSION, "v0.0.1"),
        ]
    )
    begins = datetime.fromtimestamp(not_before_seconds, UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=False,
        data_encipherment=True,
        content_commitment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365))
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    return certificate.public_bytes(serialization.Encoding.PEM), public_key_pem(key.public_key())


def public_key_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as certificates of the chain carry it: `EC PUBLIC KEY` around SubjectPublicKeyInfo."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _pem("EC PUBLIC KEY", der)


def _pem(label: str, der: bytes) -> bytes:
    body = base64.b64encode(der).decode()
    lines = "\n".join(body[place : place + 64] for place in range(0, len(body), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()
