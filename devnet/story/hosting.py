"""What providers do besides bidding: they register, change what they say of themselves, are audited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devnet.acts import Act, CreateCertificate, CreateProvider, RevokeCertificate, SignAttributes, UpdateProvider
from devnet.story.draw import Draw
from devnet.story.folk import Folk
from devnet.story.machines import hostname, way_of
from devnet.story.parameters import Parameters, ProviderPlan
from devnet.story.racks import AUDITOR, audits

_HOUR = 600


def hosting(parameters: Parameters, folk: Folk) -> Iterator[Act]:
    """The acts of all providers, and of the auditor who signs for some of them."""
    draw = Draw(parameters.seed, "hosting")
    for number, one in enumerate(parameters.providers):
        owner = folk.provider(one.name)
        uri = f"https://{hostname(one)}:8443"
        way = way_of(parameters, one)
        attributes = provider_attributes(one, way.claims)
        yield CreateProvider(height=one.joins, owner=owner, host_uri=uri, attributes=attributes)
        yield CreateCertificate(height=one.joins + 3, owner=owner, serial=1000 + number)
        if way.revokes is not None:
            yield RevokeCertificate(height=way.revokes, owner=owner, serial=1000 + number)
        if draw.chance(40):
            changed = (*attributes, ("feat-persistent-storage", "true"))
            height = one.joins + draw.between(_HOUR, 50 * _HOUR)
            yield UpdateProvider(height=height, owner=owner, host_uri=uri, attributes=changed)
        if draw.chance(50):
            signed = (("region", one.region), ("tier", "community"))
            height = one.joins + draw.between(20 * _HOUR, 90 * _HOUR)
            yield SignAttributes(height=height, auditor=folk.address(AUDITOR), provider=owner, attributes=signed)
    yield from audits(parameters, folk)


def provider_attributes(one: ProviderPlan, claims: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """What a provider says of itself: place, processor, and each GPU model with its memory and interface.

    `claims`: models that it names and does not have.
    """
    attributes = [
        ("host", "akash"),
        ("tier", "community"),
        ("region", one.region),
        ("organization", one.name),
        ("capabilities/cpu/arch", "x86-64"),
    ]
    for model, gpus in one.gpus.items():
        key = f"capabilities/gpu/vendor/nvidia/model/{model}"
        attributes.append((key, "true"))
        if gpus.ram:
            attributes.append((f"{key}/ram/{gpus.ram}", "true"))
        if gpus.interface:
            attributes.append((f"{key}/interface/{gpus.interface}", "true"))
        if gpus.ram and gpus.interface:
            attributes.append((f"{key}/ram/{gpus.ram}/interface/{gpus.interface}", "true"))
    attributes += [(f"capabilities/gpu/vendor/nvidia/model/{model}", "true") for model in claims]
    return tuple(attributes)
