"""Providers, certificates and audited attributes."""

from __future__ import annotations

from devnet.acts import CreateCertificate, CreateProvider, DeleteAttributes, RevokeCertificate, SignAttributes
from devnet.certificates import make_certificate
from devnet.state.objects import Certificate, ChainError, Provider
from devnet.state.world import World


def create_provider(world: World, act: CreateProvider) -> None:
    """MsgCreateProvider."""
    if act.owner in world.providers:
        raise ChainError("provider", 4, "invalid provider: already exists")
    _put_provider(world, act, "akash.provider.v1beta4.EventProviderCreated")


def update_provider(world: World, act: CreateProvider) -> None:
    """MsgUpdateProvider: replaces everything."""
    if act.owner not in world.providers:
        raise ChainError("provider", 3, f"invalid provider: address not found: id: {act.owner}")
    _put_provider(world, act, "akash.provider.v1beta4.EventProviderUpdated")


def create_certificate(world: World, act: CreateCertificate) -> None:
    """MsgCreateCertificate; there is no event for it."""
    if (act.owner, act.serial) in world.certificates:
        raise ChainError("cert", 2, "certificate already exists")
    pem, public_key_pem = act.pem, act.public_key_pem
    if not pem:
        pem, public_key_pem = make_certificate(act.owner, act.serial, world.seconds)
    certificate = Certificate(act.owner, act.serial, pem, public_key_pem)
    world.certificates[act.owner, act.serial] = certificate
    world.touch(certificate)


def revoke_certificate(world: World, act: RevokeCertificate) -> None:
    """MsgRevokeCertificate."""
    certificate = world.certificates.get((act.owner, act.serial))
    if certificate is None:
        raise ChainError("cert", 3, "certificate not found")
    if certificate.state == "revoked":
        raise ChainError("cert", 6, "certificate already revoked")
    certificate.state = "revoked"
    world.touch(certificate)


def sign_attributes(world: World, act: SignAttributes) -> None:
    """MsgSignProviderAttributes: adds to what this auditor signed before."""
    before = dict(world.audits.get((act.provider, act.auditor), ()))
    world.audits[act.provider, act.auditor] = tuple(sorted((before | dict(act.attributes)).items()))
    _audit_event(world, "Created", act.provider, act.auditor)


def delete_attributes(world: World, act: DeleteAttributes) -> None:
    """MsgDeleteProviderAttributes: these keys, or all of them."""
    before = world.audits.get((act.provider, act.auditor), ())
    if not before or any(key not in dict(before) for key in act.keys):
        raise ChainError("audit", 1, "provider not found" if not before else "attribute not found")
    left = tuple((key, value) for key, value in before if act.keys and key not in act.keys)
    if left:
        world.audits[act.provider, act.auditor] = left
    else:
        del world.audits[act.provider, act.auditor]
    _audit_event(world, "Deleted", act.provider, act.auditor)


def _put_provider(world: World, act: CreateProvider, event: str) -> None:
    keys = [key for key, _ in act.attributes]
    for key in keys:
        if keys.count(key) > 1:
            raise ChainError("provider", 5, f"provider: duplicated attribute: {key}")
    provider = Provider(act.owner, act.host_uri, act.attributes, act.email, act.website)
    world.providers[act.owner] = provider
    world.events.typed(event, owner=act.owner)
    world.touch(provider)


def _audit_event(world: World, what: str, provider: str, auditor: str) -> None:
    world.events.typed(f"akash.audit.v1.EventTrustedAuditor{what}", owner=provider, auditor=auditor)
    world.touch_audit(provider, auditor)
