"""Providers, what auditors signed for them, and certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifiers.chain.answers.border import Decoder, Listing, Pagination, Rows
from verifiers.chain.answers.numbers import Whole
from verifiers.chain.answers.resources import Attribute, GpuModel, gpu_models
from verifiers.chain.apiset import CURRENT, ApiSet


@dataclass(frozen=True, slots=True)
class ProviderContact:
    """What the provider says of itself; hostile text like every name on the chain."""

    email: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """A registered provider. It has no creation height of its own: that is in its EventProviderCreated alone."""

    owner: str
    host_uri: str
    attributes: tuple[Attribute, ...]
    info: ProviderContact | None = None

    @property
    def gpu_models(self) -> tuple[GpuModel, ...]:
        """The models it claims in `capabilities/gpu/vendor/…`: a claim, not a proof."""
        return gpu_models(self.attributes, "capabilities/gpu/")


@dataclass(frozen=True, slots=True)
class Audited:
    """Attributes that one auditor signed for one provider."""

    owner: str
    auditor: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class CertificateBody:
    """`cert` and `pubkey` are base64 of PEM; `state` is `valid` or `revoked`."""

    state: str
    cert: str
    pubkey: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its serial number; the owner stands in the certificate itself."""

    certificate: CertificateBody
    serial: Whole


@dataclass(frozen=True, slots=True)
class _Provider:
    provider: Provider


@dataclass(frozen=True, slots=True)
class _Providers:
    providers: tuple[Provider, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Audits:
    providers: tuple[Audited, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Certificates:
    certificates: tuple[Certificate, ...]
    pagination: Pagination | None = None


_provider: Decoder[_Provider] = Decoder(_Provider, "provider")
_providers: Decoder[_Providers] = Decoder(_Providers, "list of providers")
_audits: Decoder[_Audits] = Decoder(_Audits, "list of audited attributes")
_certificates: Decoder[_Certificates] = Decoder(_Certificates, "list of certificates")


def decode_provider(body: bytes, api: ApiSet = CURRENT) -> Provider:
    """One provider."""
    return _provider(body, api).provider


def decode_providers(body: bytes, api: ApiSet = CURRENT) -> Rows[Provider]:
    """A page of providers."""
    page = _providers(body, api)
    return Rows(page.providers, page.pagination.next_key if page.pagination else None)


def decode_audits(body: bytes, api: ApiSet = CURRENT) -> Rows[Audited]:
    """What auditors signed for one provider.

    The lists over all providers and of one auditor are broken on real nodes (raw protobuf in `owner`, no auditor):
    they decode, and no row of theirs names an auditor.
    """
    page = _audits(body, api)
    return Rows(page.providers, page.pagination.next_key if page.pagination else None)


def decode_certificates(body: bytes, api: ApiSet = CURRENT) -> Rows[Certificate]:
    """A page of certificates."""
    page = _certificates(body, api)
    return Rows(page.certificates, page.pagination.next_key if page.pagination else None)


def _certificate_facts(row: Certificate) -> Mapping[str, str]:
    return {"serial": str(row.serial), "state": row.certificate.state}


PROVIDERS: Listing[Provider] = Listing(
    "providers", lambda api: api.providers, decode_providers, lambda row: row.owner, lambda row: {"owner": row.owner}
)
CERTIFICATES: Listing[Certificate] = Listing(
    "certificates",
    lambda api: api.certificates_list,
    decode_certificates,
    lambda row: (row.serial, row.certificate.cert),
    _certificate_facts,
)
