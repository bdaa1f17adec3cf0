"""Certificates for tests: of the Akash kind, and such as a public authority gives."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tasks.moment import parse_moment

NOW = parse_moment("2026-11-24T12:00:00Z")
OWNER = "akash1gw2f7v66yja40c3pqeu66d8r9c0zmfdu704mes"
STRANGER = "akash10fws6cj06e466uhdt4lu8uu6f3zqsvrtp3eyu7"
VERSION_OID = x509.ObjectIdentifier("2.23.133.2.6")


@dataclass(frozen=True)
class MadeCertificate:
    """A certificate with its key, as files and as bytes."""

    folder: Path
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    @property
    def file(self) -> str:
        return str(self.folder / "both.pem")

    @property
    def ca_file(self) -> str:
        return str(self.folder / "certificate.pem")

    def row(self, state: str = "valid") -> dict[str, Any]:
        """As the chain lists it."""
        pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        cert = {"state": state, "cert": base64.b64encode(pem).decode(), "pubkey": ""}
        return {"certificate": cert, "serial": str(self.serial)}


@cache
def made(
    owner: str = OWNER,
    *,
    begins: int = -1,
    ends: int = 365,
    issuer: str | None = None,
    serial: int = 1795517006407656300,
    also: int = 0,
) -> MadeCertificate:
    """By the provider's own template; `begins` and `ends`: days from NOW; `also`: how many others come with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def name(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common), x509.NameAttribute(VERSION_OID, "v0.0.1")])

    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
         "decipher_only"), False
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name(owner))
        .issuer_name(name(issuer or owner))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(noon + timedelta(days=begins))
        .not_valid_after(noon + timedelta(days=ends))
        .add_extension(x509.KeyUsage(key_encipherment=True, data_encipherment=True, **usage), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.NameConstraints([x509.DNSName("localhost")], None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _written(key, certificate, [made(STRANGER).certificate for _ in range(also)])


@cache
def public_certificate(host: str = "localhost") -> MadeCertificate:
    """A certificate that a public authority might give to a host; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _written(key, certificate, [])


def _written(
    key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, others: Sequence[x509.Certificate]
) -> MadeCertificate:
    folder = Path(tempfile.mkdtemp(prefix="waymark-provider-"))
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    more = b"".join(other.public_bytes(serialization.Encoding.PEM) for other in others)
    (folder / "both.pem").write_bytes(key_pem + pem + more)
    (folder / "certificate.pem").write_bytes(pem)
    return MadeCertificate(folder, certificate)
