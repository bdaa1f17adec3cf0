"""The certificates that providers serve, made by the template of the real ones (chain-sdk `go/util/tls`)."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from devnet.certificates import certificate_key, public_key_pem

SECOND = 1_000_000_000
VALID_DAYS = 365
VERSION_OID = ObjectIdentifier("2.23.133.2.6")
_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A self-signed certificate of `owner` with its key. `serial`: Unix nanoseconds of when it was made."""

    owner: str
    serial: int
    pem: bytes
    public_key_pem: bytes
    key_pem: bytes


def make_server_certificate(owner: str, serial: int, hostname: str) -> ServerCertificate:
    """What `provider-services tx cert generate server HOSTNAME 127.0.0.1` makes at Unix nanosecond `serial`.

    ECDSA P-256, signed by itself; subject and issuer are CN = owner and OID 2.23.133.2.6 = v0.0.1; usable for key and
    data encipherment only, which keeps BoringSSL away; critical name constraints to the DNS names.
    """
    key = certificate_key(owner, serial)
    printable = _ASN1Type.PrintableString  # as Go writes it
    parts = ((NameOID.COMMON_NAME, owner), (VERSION_OID, "v0.0.1"))
    name = x509.Name([x509.NameAttribute(oid, text, printable) for oid, text in parts])
    begins = datetime.fromtimestamp(serial // SECOND, UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName(hostname), x509.IPAddress(ipaddress.ip_address(_ADDRESS))],
    )
    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=VALID_DAYS))
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(x509.NameConstraints([x509.DNSName(hostname)], None), critical=True)
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return ServerCertificate(
        owner=owner,
        serial=serial,
        pem=certificate.public_bytes(serialization.Encoding.PEM),
        public_key_pem=public_key_pem(key.public_key()),
        key_pem=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def serial_of(owner: str, made_at: int) -> int:
    """A serial number near the Unix nanosecond `made_at`: nobody makes a certificate at an even second."""
    return made_at // SECOND * SECOND + int.from_bytes(hashlib.sha256(owner.encode()).digest()[:8]) % SECOND


def tls_context(certificate: ServerCertificate, protocols: Sequence[str]) -> ssl.SSLContext:
    """TLS 1.3 with this certificate; a client's certificate is asked for, and none is known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_OPTIONAL
    with tempfile.TemporaryDirectory(prefix="devnet-") as folder:
        path = Path(folder) / "certificate.pem"
        path.write_bytes(certificate.pem + certificate.key_pem)
        context.load_cert_chain(path)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
