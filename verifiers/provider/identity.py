"""Whose certificate a provider shows, and how it is tied to the chain (pure).

Rules: akash-provider.md 4 and security.md 3. The official client's omission is not copied: the certificate must name
the provider that we meant.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tasks.moment import SECOND, Moment, format_moment
from verifiers.chain.answers import CERTIFICATES, rows_in
from verifiers.chain.answers.providers import Certificate as ChainCertificate
from verifiers.evidence import Observation
from verifiers.trouble import Undecodable

VALID, REVOKED_STATE = "valid", "revoked"


class Standing(StrEnum):
    """How a certificate stands."""

    PINNED = "pinned"
    """It is the one on the chain: owner, serial, valid, within its dates, equal byte for byte."""
    PUBLIC = "public"
    """The public authorities vouch for the host that the chain names."""
    UNLISTED = "unlisted"
    """It names the provider, and the chain has none with this serial number."""
    REVOKED = "revoked"
    """The chain has it as revoked."""
    FOREIGN = "foreign"
    """It names somebody else, or the chain has another one under its serial number."""
    EXPIRED = "expired"
    """Out of its dates."""
    OTHER_FORM = "other_form"
    """Not one self-signed certificate of the Akash kind."""
    UNKNOWN = "unknown"
    """The chain could not be asked, or nothing was shown."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What follows from a certificate. `reason`: the end of a sentence about it. `sha256`: hex, of the one shown."""

    standing: Standing
    reason: str
    sha256: str = ""
    serial: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether we speak with the provider that the chain names."""
        return self.standing in {Standing.PINNED, Standing.PUBLIC}

    @property
    def may_be_asked(self) -> bool:
        """Whether public questions are sent at all: without a certificate on the chain only liveness follows."""
        return self.is_known or self.standing in {Standing.UNLISTED, Standing.REVOKED}


@dataclass(frozen=True, slots=True)
class Shown:
    """What one end showed: certificates as DER, the first the server's own; `server_name` is the SNI asked with."""

    certificates: tuple[bytes, ...]
    server_name: str
    tls: str


@dataclass(frozen=True, slots=True)
class Record:
    """The identity facts of one end, as an observation keeps them: canonical JSON.

    `own`: asked with `mtls.<host>`. `public`: asked with the host's own name and found good by the public
    authorities, None where that was not needed or not so; `public_fault` then says why.
    """

    host: str
    port: int
    own: Shown | None
    public: Shown | None = None
    public_fault: str = ""

    def body(self) -> bytes:
        """Canonical JSON."""
        document = {
            "host": self.host,
            "port": self.port,
            "own": _shown(self.own),
            "public": _shown(self.public),
            "public_fault": self.public_fault,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def decode_record(body: bytes) -> Record:
    """Read an identity observation's body. Raises Undecodable."""
    try:
        document = json.loads(body)
        return Record(
            host=str(document["host"]),
            port=int(document["port"]),
            own=_read_shown(document["own"]),
            public=_read_shown(document["public"]),
            public_fault=str(document["public_fault"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Undecodable("This is no record of a certificate.") from None


@dataclass(frozen=True, slots=True)
class OnChain:
    """What the chain said of one serial number of one owner: rows, and whether it could be asked at all."""

    rows: tuple[ChainCertificate, ...] = ()
    was_asked: bool = False
    trouble: str | None = None


def identify(record: Record, owner: str, at: Moment, on_chain: OnChain) -> Identity:
    """Rules 1 to 5 of akash-provider.md 4, from what was shown and what the chain has. `at` decides over dates."""
    if record.public is not None:
        leaf = record.public.certificates[0] if record.public.certificates else b""
        reason = f"is vouched for by the public authorities for {record.public.server_name}"
        return Identity(Standing.PUBLIC, reason, hashlib.sha256(leaf).hexdigest())
    own = own_certificate(record, owner, at)
    if isinstance(own, Identity):
        return own
    return _compare(own, on_chain)


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate of the right form that names the provider: what the chain is asked about."""

    der: bytes
    serial: int

    @property
    def sha256(self) -> str:
        """Of the DER, hex."""
        return hashlib.sha256(self.der).hexdigest()


def own_certificate(record: Record, owner: str, at: Moment) -> OwnCertificate | Identity:
    """The certificate to look up on the chain, or what is wrong with the one shown."""
    shown = record.own.certificates if record.own else ()
    if not shown:
        return Identity(Standing.UNKNOWN, "was not shown")
    digest = hashlib.sha256(shown[0]).hexdigest()
    if len(shown) != 1:
        return Identity(Standing.OTHER_FORM, f"came with {len(shown) - 1} others, an Akash one comes alone", digest)
    try:
        certificate = x509.load_der_x509_certificate(shown[0])
        return _named(shown[0], certificate, owner, at)
    except (ValueError, TypeError, OverflowError, Warning, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        # a negative serial number is a warning, an error where warnings are errors
        return Identity(Standing.OTHER_FORM, "can't be read", digest)


def _named(der: bytes, certificate: x509.Certificate, owner: str, at: Moment) -> OwnCertificate | Identity:
    own = OwnCertificate(der, certificate.serial_number)
    subject, issuer = _common_name(certificate.subject), _common_name(certificate.issuer)
    begins, ends = _moment(certificate.not_valid_before_utc), _moment(certificate.not_valid_after_utc)
    if subject is None or subject != issuer:
        return Identity(Standing.OTHER_FORM, "is not self-signed in one name", own.sha256, own.serial)
    if subject != owner:
        return Identity(Standing.FOREIGN, f"names {_plain(subject)}", own.sha256, own.serial)
    if not begins <= at <= ends:
        reason = f"is valid from {format_moment(begins)} to {format_moment(ends)}"
        return Identity(Standing.EXPIRED, reason, own.sha256, own.serial)
    return own


def certificate_filters(owner: str, serial: int, state: str | None = VALID) -> dict[str, str]:
    """How the chain is asked for one certificate."""
    return {"filter.owner": owner, "filter.serial": str(serial), **({"filter.state": state} if state else {})}


def on_chain(observations: Sequence[Observation], owner: str, serial: int, path: str) -> OnChain:
    """What these observations of `path` (certificates/list) say of one certificate, in whatever state."""
    rows: list[ChainCertificate] = []
    was_asked, trouble = False, None
    for observation in observations:
        filters = _filters(observation.request, path)
        if filters.get("filter.owner") != owner or filters.get("filter.serial") != str(serial):
            continue
        was_asked = True
        if observation.trouble or observation.status != 200:
            trouble = observation.trouble or "undecodable"
            continue
        try:
            rows += rows_in(CERTIFICATES, (observation.body,), filters)
        except Undecodable as error:
            trouble = error.name
    return OnChain(tuple(rows), was_asked, trouble)


def _compare(own: OwnCertificate, chain: OnChain) -> Identity:
    same_serial = [row for row in chain.rows if row.serial == own.serial]
    equal = [row for row in same_serial if certificate_der(row.certificate.cert) == own.der]
    states = {row.certificate.state for row in equal}
    if VALID in states:
        return Identity(Standing.PINNED, "is the one on the chain", own.sha256, own.serial)
    if chain.trouble or not chain.was_asked:
        return Identity(Standing.UNKNOWN, "could not be looked up on the chain", own.sha256, own.serial)
    if equal:
        return Identity(Standing.REVOKED, "is revoked on the chain", own.sha256, own.serial)
    if same_serial:
        reason = "is not the one that the chain has under its serial number"
        return Identity(Standing.FOREIGN, reason, own.sha256, own.serial)
    return Identity(Standing.UNLISTED, "is not on the chain", own.sha256, own.serial)


def certificate_der(base64_pem: str) -> bytes | None:
    """The chain keeps base64 of PEM; None where it is no single certificate."""
    try:
        found = x509.load_pem_x509_certificates(base64.b64decode(base64_pem))
    except (ValueError, binascii.Error, Warning, x509.InvalidVersion):
        return None
    return found[0].public_bytes(Encoding.DER) if len(found) == 1 else None


def _filters(request: str, path: str) -> Mapping[str, str]:
    head, _, tail = request.partition("?")
    if head != f"GET {path}":
        return {}
    return {name: value for name, value in parse_qsl(tail) if name.startswith("filter.")}


def _common_name(name: x509.Name) -> str | None:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else None


def _moment(when: Any) -> Moment:
    return Moment(int(when.timestamp()) * SECOND)


def _plain(text: str) -> str:
    return ascii(text[:80])[1:-1]


def _shown(shown: Shown | None) -> dict[str, object] | None:
    if shown is None:
        return None
    certificates = [base64.b64encode(der).decode() for der in shown.certificates]
    return {"certificates": certificates, "server_name": shown.server_name, "tls": shown.tls}


def _read_shown(document: Any) -> Shown | None:
    if document is None:
        return None
    certificates = tuple(base64.b64decode(text) for text in document["certificates"])
    return Shown(certificates, str(document["server_name"]), str(document["tls"]))
